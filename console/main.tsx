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
await callJson<WhoAmI>('whoami')
  .then(signedIn)
  .catch(async () => {
    // A session that has ended goes with that look; what everybody may see is there without it.
    await known;
    if (token.value === undefined && csrfToken.value === undefined) await callJson<WhoAmI>('whoami').then(signedIn, () => undefined);
  });
if (signInFailure.value !== undefined && !isSignedIn.value) askForToken();
