import manifest from '../package.json' with { type: 'json' };

/** Runs one command and resolves to its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === 'version' || argv[0] === '--help') {
    console.log(argv[0] === 'version' ? manifest.version : 'Usage: artifactstore <command>');
    return 0;
  }
  console.error('Usage: artifactstore version');
  return 2;
}
