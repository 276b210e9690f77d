// The parameters of every socket. Of TLS: both sides know the secret, no certificates, forward secrecy.
//
// TLS 1.2, because Node's pre-shared keys do not work with 1.3.

export const TLS = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  ecdhCurve: 'X25519:P-256',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;

/** So much may wait in a socket before a writer is told to wait: one part of a large message at a time would leave the link idle between. */
export const BUFFERS = { highWaterMark: 1 << 20, writableHighWaterMark: 1 << 20 } as const;
