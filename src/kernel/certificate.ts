// Reads the certificate of a runtime, and checks that it fits its key and is valid now.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { FlotillaError, toError } from '../base/index.ts';
import type { Certificate } from '../transport/index.ts';

const MAKE = 'openssl req -x509 -newkey rsa:2048 -nodes -days 1000 -keyout cert.pem -out cert.pem';

/** The certificate of the options, at a time in ms since 1970. Throws ERR_OPTION_INVALID. */
export function certificateOf(options: { readonly certfile?: string; readonly keyfile?: string }, now: number): Certificate | undefined {
  const { certfile, keyfile = certfile } = options;
  if (certfile === undefined) return undefined;
  const cert = readPem('certfile', certfile, 'CERTIFICATE');
  const key = readPem('keyfile', keyfile as string, 'PRIVATE KEY');
  const read = parsed('certfile', certfile, () => new X509Certificate(cert));
  const privateKey: KeyObject = parsed('keyfile', keyfile as string, () => createPrivateKey(key));
  if (!read.checkPrivateKey(privateKey))
    throw invalid(`the key in '${keyfile}' does not fit the certificate in '${certfile}'. They are made together, for example by: ${MAKE}`);
  if (now > Date.parse(read.validTo))
    throw invalid(
      `the certificate in '${certfile}' has expired: it was valid until ${read.validTo}. Make another for all machines: ${MAKE}`,
    );
  if (now < Date.parse(read.validFrom))
    throw invalid(`the certificate in '${certfile}' is valid from ${read.validFrom} on, and not now. Is the clock of this machine right?`);
  return { cert, key, ca: cert };
}

function parsed<T>(option: string, path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw invalid(`'${option}' (${path}) cannot be used. It must be PEM without a passphrase, as made by: ${MAKE}`, error);
  }
}

function readPem(option: string, path: string, what: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw invalid(`'${option}' cannot be read: ${toError(error).message}.`, error);
  }
  if (bytes.includes(`${what}-----`)) return bytes;
  throw invalid(`'${option}' (${path}) has no ${what} in PEM. Make both with: ${MAKE}`);
}

function invalid(why: string, cause?: unknown): FlotillaError {
  return new FlotillaError('ERR_OPTION_INVALID', `Runtime.start: ${why}`, cause === undefined ? undefined : { cause });
}
