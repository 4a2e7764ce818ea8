/** Certificates as text. */
import { X509Certificate } from 'node:crypto';

/** The certificates among what a PEM text (RFC 7468) holds, and nothing else of it; null where there is none. */
export function certificatesOf(text: string): string | null {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\sA-Za-z\d+/=]*-----END CERTIFICATE-----/g) ?? [];
  const certificates = blocks.filter(isCertificate);
  return certificates.length > 0 ? `${certificates.join('\n')}\n` : null;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
