// Failures of TLS in our words; those of OpenSSL are kept as the cause.
import type { TLSSocket } from 'node:tls';
import { codeOf, FlotillaError } from '../../base/index.ts';
import { wrongCertificate, wrongSecret } from '../handshake.ts';

/** Why the certificate of the other side is not accepted; undefined if it is. */
export function unaccepted(socket: TLSSocket, remote: string): FlotillaError | undefined {
  if (socket.authorized) return undefined;
  const code = String(socket.authorizationError ?? '');
  const none = Object.keys(socket.getPeerCertificate()).length === 0;
  const why = none
    ? 'it came without one'
    : code === 'CERT_HAS_EXPIRED'
      ? 'its certificate has expired'
      : code === 'CERT_NOT_YET_VALID'
        ? 'its certificate is not valid yet, by the clock of this machine'
        : 'its certificate is another than ours';
  return wrongCertificate({ remote }, why);
}

/** The error for an encrypted connection that could not be made; undefined if it failed for another reason. `ours`: whether this side has a certificate. */
export function tlsFailure(error: Error, remote: string, ours: boolean): FlotillaError | undefined {
  const code = codeOf(error);
  const caused = (made: FlotillaError): FlotillaError => Object.assign(made, { cause: error });
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT')
    return new FlotillaError('ERR_LINK_REFUSED', `${remote} did not complete the encryption in time. Is it a Flotilla runtime?`, {
      cause: error,
    });
  if (!code.startsWith('ERR_SSL')) return undefined;
  if (/PROTOCOL|VERSION/.test(code))
    return caused(
      wrongCertificate({ remote }, ours ? 'it uses none, but the secret alone' : 'it uses one, and this runtime the secret alone'),
    );
  if (/PSK|IDENTITY|DECRYPT|MAC|ALERT|HANDSHAKE_FAILURE|SHARED_CIPHER/i.test(`${code} ${error.message}`) && !ours)
    return caused(wrongSecret({ remote }, 'the encrypted connection could not be made'));
  if (ours && /CERT|CA\b|ALERT/i.test(`${code} ${error.message}`)) return caused(wrongCertificate({ remote }, 'it does not accept ours'));
  return new FlotillaError('ERR_LINK_REFUSED', `${remote} could not make an encrypted connection: what it sent is not what TLS expects.`, {
    cause: error,
  });
}
