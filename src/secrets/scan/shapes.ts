/** A text that has the form of a secret, whoever's it is. */
export interface SecretShape {
  readonly name: string;
  /** Its first group is what would be secret. */
  readonly pattern: RegExp;
}

/** In texts of one byte a character. What was left out on purpose, such as `***` or `(secret)`, is none. */
export const secretShapes: readonly SecretShape[] = [
  { name: 'password in an address', pattern: /\b[a-z][a-z0-9+.-]*:\/\/[^\s/?#:@"'<>]*:([^\s/?#@"'<>]+)@/gi },
  {
    name: 'value of a secret setting',
    pattern:
      /\b[A-Z0-9_]*(?:SECRET|PASSWORD|PASSWD|TOKEN|API_KEY)[A-Z0-9_]*(?<!_FILE|_REF|_PATH|_NAME|_URL|_VARIABLE)["']?\s*[=:]\s*["']?([^\s"',;]{8,})/g,
  },
  { name: 'private key', pattern: /-----BEGIN (?:[A-Z0-9]+ )*(PRIVATE KEY)-----/g },
  { name: 'JSON Web Token', pattern: /\b(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})/g },
  { name: 'bearer token', pattern: /\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+([A-Za-z0-9._~+/-]{8,}=*)/gi },
  { name: 'access key of AWS', pattern: /\b((?:AKIA|ASIA)[A-Z0-9]{16})\b/g },
  { name: 'token of Vault or OpenBao', pattern: /\b((?:hvs|hvb|hvr|s|b|r)\.[A-Za-z0-9_-]{24,})\b/g },
  { name: 'API key of Cosmo', pattern: /\b(cosmo_[A-Za-z0-9]{16,})\b/g },
];

/** Whether the text stands for a value and is none. */
export function isLeftOut(text: string): boolean {
  return /^(?:\*+|x{3,}|\(?(?:secret|redacted|hidden|masked|removed|value not printed)\)?|<.*>|\[.*\]|\$\{?[A-Za-z_].*|\{\{.*|env:.*|file:.*|secret:.*|%[sdv].*|(.)\1*)$/i.test(
    text,
  );
}
