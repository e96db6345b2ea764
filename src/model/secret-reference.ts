/**
 * Where a secret is found: a variable of the environment, a file, or a credential of the service manager (systemd's
 * `LoadCredential=`). The secret itself never stands in a configuration.
 */
export const secretReferencePattern =
  /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|credential:(?!\.{1,2}$)[A-Za-z0-9._@-]{1,255})$/;

/** Whether a text names a place of a secret, however well. */
export function isSecretReference(text: string): boolean {
  return /^(env|file|credential):/.test(text);
}

export const secretReferenceProblem = "`env:NAME`, `file:PATH` or `credential:NAME`, never the secret itself";
