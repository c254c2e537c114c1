import './styles/main.css';
import { render } from 'preact';
import { followOtherTabs, readBrowserSession, takeFailure, tellOtherTabs } from './api/browser-session.ts';
import { apiUrl, callJson } from './api/call.ts';
import type { WhoAmI } from './api/records.ts';
import { App, loadPage } from './app.tsx';
import { askBy } from './connection.ts';
import { startClock } from './parts/clock.ts';
import { followLinks } from './router.ts';
import { askForToken, csrfToken, isSignedIn, signedIn, signInFailure, token } from './session.ts';
import { warnOfLeaving } from './upload/running.ts';

followLinks();
signInFailure.value = takeFailure();
loadPage();
startClock();
followOtherTabs();
warnOfLeaving();
askBy(async () => (await fetch(apiUrl('livez'), { cache: 'no-store' }).catch(() => undefined))?.ok === true);
render(<App />, document.getElementById('console')!);
const known = readBrowserSession().then(() => {
  if (csrfToken.value !== undefined) tellOtherTabs();
});
const byToken = token.value !== undefined;
await whoIsHere().catch(async () => {
  // A session that has ended goes with that look; what everybody may see is there without it. Or somebody has signed in
  // since, in another tab: the refusal was of the session before.
  await known;
  if (token.value === undefined && !(byToken && csrfToken.value !== undefined)) await whoIsHere().catch(() => undefined);
});
if (signInFailure.value !== undefined && !isSignedIn.value) askForToken();

/** Says who is here, unless somebody has signed in by a token meanwhile. */
async function whoIsHere(): Promise<void> {
  const by = token.value;
  const who = await callJson<WhoAmI>('whoami');
  if (token.value === by) signedIn(who);
}
