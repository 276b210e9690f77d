// The parameters of every socket, and of TLS where both sides know the secret: no certificates, and forward secrecy.
//
// It is TLS 1.2, because Node's pre-shared keys do not work with 1.3.

export const TLS = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  ecdhCurve: 'X25519:P-256',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;

/** How much may wait in a socket before its writer is told to wait. Less than a few parts of a large message would leave the link idle between them. */
export const BUFFERS = { highWaterMark: 1 << 20, writableHighWaterMark: 1 << 20 } as const;
