import './styles/main.css';
import { render } from 'preact';
import { apiUrl, callJson } from './api/call.ts';
import type { WhoAmI } from './api/records.ts';
import { App, loadPage } from './app.tsx';
import { askBy } from './connection.ts';
import { startClock } from './parts/clock.ts';
import { followLinks } from './router.ts';
import { signedIn } from './session.ts';
import { warnOfLeaving } from './upload/running.ts';

followLinks();
loadPage();
startClock();
warnOfLeaving();
askBy(async () => (await fetch(apiUrl('livez'), { cache: 'no-store' }).catch(() => undefined))?.ok === true);
render(<App />, document.getElementById('console')!);
await callJson<WhoAmI>('whoami').then(signedIn, () => undefined);
