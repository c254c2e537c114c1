// What a container's health check runs: it ends with 0 where the server in this container can serve, else with 1 and
// the reason. `/readyz` needs no token.
const port = process.env.ARTIFACTSTORE_PORT || '8000';
const base = (process.env.ARTIFACTSTORE_BASE_PATH || '').replace(/\/+$/, '');
try {
  const answer = await fetch(`http://127.0.0.1:${port}${base}/readyz`, { signal: AbortSignal.timeout(4000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`/readyz answered ${answer.status}: ${text.slice(0, 500)}`);
} catch (error) {
  console.error(error.cause?.code ?? error.message);
  process.exitCode = 1;
}
