/* How runtimes nearby are found: signed announcements by datagram. Connects to nobody. Start reading at beacon.ts. */

export type { Announcement } from './announcement.ts';
export { decodeAnnouncement, encodeAnnouncement, LIMIT } from './announcement.ts';
export type { BeaconOptions, Heard } from './beacon.ts';
export { Beacon, SKEW_MS } from './beacon.ts';
export type { DatagramOptions, DatagramPeer, DatagramSocket, Datagrams, Signer } from './contract.ts';
export { udpDatagrams } from './udp.ts';
