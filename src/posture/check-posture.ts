import type { ComposeMap } from '../protocol/compose-file.ts';
import { type Fault, type PostureFinding, type PostureRule, postureRules } from './finding.ts';
import { hostFaults, imageFaults, volumeFaults } from './images-and-hosts.ts';
import { agentFaults, type SecretsPlace, secretMountFaults } from './secret-mounts.ts';
import { environmentFaults, sharedTextFaults, shownFaults } from './secret-texts.ts';
import type { Stack } from './stack.ts';
import { labelFaults, networkFaults, openNetworkFaults, portFaults } from './ways-in.ts';

interface Rule {
  readonly ofService: (service: ComposeMap, stack: Stack, name: string, place: SecretsPlace) => Iterable<Fault>;
  readonly ofStack?: (stack: Stack, place: SecretsPlace) => Iterable<Fault>;
}

const rules: Readonly<Record<PostureRule, Rule>> = {
  'image-pinned': { ofService: imageFaults },
  'no-ports': { ofService: portFaults },
  'no-proxy-labels': { ofService: labelFaults },
  'one-internal-network': { ofService: networkFaults, ofStack: openNetworkFaults },
  'secrets-read-only': { ofService: secretMountFaults, ofStack: agentFaults },
  'no-secrets-in-environment': { ofService: environmentFaults, ofStack: sharedTextFaults },
  'no-secrets-shown': { ofService: shownFaults },
  'no-host-access': { ofService: hostFaults, ofStack: volumeFaults },
};

/** All that a stack's files say against each rule, in the order of the rules. Empty where it is right. */
export function checkPosture(stack: Stack, place: SecretsPlace): readonly PostureFinding[] {
  const found = postureRules.flatMap((rule) => {
    const told = (service: string | null, faults: Iterable<Fault>): readonly PostureFinding[] =>
      [...faults].map(({ node, state, problem, remedy }) => ({ rule, state, service, ...node.at, problem, remedy }));
    const { ofService, ofStack } = rules[rule];
    return [
      ...[...stack.services].flatMap(([name, service]) => told(name, ofService(service, stack, name, place))),
      ...told(null, ofStack?.(stack, place) ?? []),
    ];
  });
  // What an anchor brings to one service at two places is said once.
  return [...new Map(found.map((each) => [JSON.stringify(each), each])).values()];
}
