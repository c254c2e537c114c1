/**
 * Whether a caller wants no more in the answer than it needs: the preference `return=minimal` of the Prefer field (RFC
 * 7240, section 4.2), unless another `return` comes before it. What else is in the field, or is malformed, is ignored.
 */
export function prefersMinimal(field: string | readonly string[] | undefined): boolean {
  const preferences = [field ?? []].flat().join(',').split(',');
  for (const preference of preferences) {
    const value = /^[\t ]*return[\t ]*=[\t ]*"?(?<value>[^";\t ]*)"?[\t ]*(?:;|$)/i.exec(preference)?.groups?.value;
    if (value !== undefined) return value === 'minimal';
  }
  return false;
}

/** What an answer says that was made so. */
export const minimalApplied = 'return=minimal';
