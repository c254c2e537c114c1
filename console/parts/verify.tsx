import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatBytes } from '../format.ts';
import { apiBase } from '../router.ts';
import { token } from '../session.ts';
import { strings } from '../strings.ts';
import type { Answer, Question, StepName } from '../workers/messages.ts';
import type { Finding } from '../workers/proof.ts';
import { startVerifier } from '../workers/start.ts';
import { Icon } from './icon.tsx';
import { Facts } from './page.tsx';
import { Time } from './values.tsx';
import { verdictOf } from './verify-verdict.ts';

const text = strings.verify;

interface State {
  readonly findings: Readonly<Partial<Record<StepName, Finding>>>;
  readonly provenance: Readonly<Record<string, string>> | undefined;
  readonly bytes: number;
  readonly running: boolean;
}

/** Verifies here, in this browser: the bytes, the manifest that names them, and its place in the log. */
export function Verify({
  packageId,
  manifestDigest,
  file,
}: {
  readonly packageId: string;
  readonly manifestDigest: string | null;
  readonly file?: NonNullable<Question['file']>;
}) {
  const state = useSignal<State | undefined>(undefined);
  const worker = useRef<Worker | undefined>(undefined);
  const stop = (): void => {
    worker.current?.terminate();
    worker.current = undefined;
  };
  useEffect(() => stop, []);

  const start = (): void => {
    stop();
    state.value = { findings: {}, provenance: undefined, bytes: 0, running: true };
    const verifier = startVerifier();
    worker.current = verifier;
    verifier.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      const before = state.peek();
      if (before === undefined || worker.current !== verifier) return;
      if (data.kind === 'progress') state.value = { ...before, bytes: data.bytes };
      else if (data.kind === 'finding')
        state.value = {
          ...before,
          findings: { ...before.findings, [data.step]: data.finding },
          provenance: data.provenance ?? before.provenance,
        };
      else {
        state.value = { ...before, running: false };
        stop();
      }
    });
    verifier.addEventListener('error', () => {
      state.value = {
        findings: { manifest: { result: 'unknown', because: 'not_reached' } },
        provenance: undefined,
        bytes: 0,
        running: false,
      };
    });
    verifier.postMessage({
      api: apiBase.href,
      token: token.value,
      package_id: packageId,
      manifest_digest: manifestDigest,
      ...(file === undefined ? {} : { file }),
    } satisfies Question);
  };

  const steps: readonly StepName[] = file === undefined ? ['manifest', 'chain'] : ['bytes', 'manifest', 'chain'];
  const shown = state.value;
  return (
    <div class="verify">
      <div class="buttons">
        <button type="button" class="button" disabled={shown?.running === true} onClick={start}>
          <Icon name="seal" />
          {shown?.running === true ? text.running : file === undefined ? text.startManifest : text.startFile}
        </button>
        <span class="quiet">{file === undefined ? text.explainManifest : text.explainFile}</span>
      </div>
      {shown === undefined ? null : (
        <>
          <div role="status">{shown.running ? null : <Verdict findings={Object.values(shown.findings)} />}</div>
          <ol class="findings">
            {steps.map((step) => (
              <Step
                key={step}
                step={step}
                finding={shown.findings[step]}
                bytes={step === 'bytes' ? shown.bytes : 0}
                total={file?.size_bytes ?? 0}
              />
            ))}
          </ol>
          {shown.provenance === undefined ? null : (
            <Facts
              items={Object.entries(shown.provenance).map(([name, value]) => [
                text.provenance[name] ?? name,
                name.endsWith('_at') ? <Time key={name} at={value} /> : value,
              ])}
            />
          )}
        </>
      )}
    </div>
  );
}

function Verdict({ findings }: { readonly findings: readonly Finding[] }) {
  const { title, tone } = verdictOf(findings);
  return (
    <div class={`verdict verdict-${tone}`}>
      <Icon name={tone === 'good' ? 'done' : 'warning'} />
      <p class="verdict-title">{title}</p>
    </div>
  );
}

function Step({
  step,
  finding,
  bytes,
  total,
}: {
  readonly step: StepName;
  readonly finding: Finding | undefined;
  readonly bytes: number;
  readonly total: number;
}) {
  return (
    <li class={`finding finding-${finding?.result ?? 'waiting'}`}>
      <Icon
        name={finding === undefined ? 'closed' : finding.result === 'good' ? 'done' : finding.result === 'bad' ? 'warning' : 'forbidden'}
      />
      <div>
        <strong>{text.steps[step]}</strong>{' '}
        {finding === undefined ? (
          <span class="quiet">{bytes > 0 ? text.progress(formatBytes(bytes), formatBytes(total)) : text.waiting}</span>
        ) : (
          <span>{text.findings[finding.because]}</span>
        )}
        {finding?.said === undefined ? null : <p class="quiet">{finding.said}</p>}
        {finding?.found === undefined ? null : (
          <p class="quiet">
            {text.found} <code>{finding.found}</code>
          </p>
        )}
        {finding?.expected === undefined ? null : (
          <p class="quiet">
            {text.expected} <code>{finding.expected}</code>
          </p>
        )}
      </div>
    </li>
  );
}
