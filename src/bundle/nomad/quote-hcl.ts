/** A string as HCL writes it, in which nothing is a template (HCL Native Syntax Specification, Template Literals). */
export function quoteHcl(text: string): string {
  const escaped = text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  return `"${escaped.replaceAll(/[$%](?=\{)/g, '$&$&')}"`;
}
