/* Links between runtimes over tcp (TLS or plain), unix sockets and memory, and the handshake that guards them. Knows no message. Start reading at contract.ts. */

export { acceptAt } from './accept.ts';
export type { Address } from './address.ts';
export type {
  Certificate,
  Conn,
  ConnHandler,
  DialOptions,
  ListeningPlace,
  ListenOptions,
  Locality,
  Network,
  PreSharedKey,
} from './contract.ts';
export { Doorkeeper, FAILING, PENDING, sourceOf } from './door.ts';
export type { Dial } from './greet.ts';
export { dialAndGreet } from './greet.ts';
export type { Greeted, Purpose, Self } from './handshake.ts';
export { greetAsDialer, greetAsListener, HANDSHAKE_MS, mustEncrypt } from './handshake.ts';
export { Identity } from './identity.ts';
export { Keyring, Keys, MOST_SECRETS, ROLES, type Role } from './keys.ts';
export type { LinkHandler } from './link.ts';
export { Link } from './link.ts';
export type { MemoryNetworkOptions } from './memory/index.ts';
export { MemoryNetwork } from './memory/index.ts';
export type { Networks } from './networks.ts';
export { formatAddress, networkOf, parseAddress, reachableAt, shortAddress, wholeAddress } from './networks.ts';
export type { LoadedSecret } from './secret.ts';
export { dropOldSecrets, loadSecret, rotateSecret, secretPath } from './secret.ts';
export { systemNetworks } from './system.ts';
export { SocketConn } from './tcp/conn.ts';
export { DEFAULT_PORT, isLoopback, isThisMachine, tcpNetwork } from './tcp/index.ts';
export { unixNetwork } from './unix/index.ts';
