// The one set of TLS parameters: both sides know the secret, no certificates, forward secrecy.
//
// TLS 1.2, because Node's pre-shared keys do not work with 1.3.

export const TLS = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  ecdhCurve: 'X25519:P-256',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;
