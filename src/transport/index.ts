/* Links between runtimes over tcp (TLS or plain) and memory, and the handshake that guards them. Knows no message. Start reading at contract.ts. */

export { acceptAt, PENDING } from './accept.ts';
export type { Address } from './address.ts';
export { formatAddress, isLoopback, isThisMachine, parseAddress, reachableHosts } from './address.ts';
export type { Conn, ConnHandler, DialOptions, Listening, ListenOptions, Network, PreSharedKey } from './contract.ts';
export type { Greeted, Purpose, Self } from './handshake.ts';
export { greetAsDialer, greetAsListener, HANDSHAKE_MS } from './handshake.ts';
export type { Role } from './keys.ts';
export { Keys, ROLES } from './keys.ts';
export type { LinkHandler } from './link.ts';
export { Link } from './link.ts';
export type { MemoryNetworkOptions } from './memory/index.ts';
export { MemoryNetwork } from './memory/index.ts';
export { loadSecret, secretPath } from './secret.ts';
export { SocketConn } from './tcp/conn.ts';
export { tcpNetwork } from './tcp/index.ts';
