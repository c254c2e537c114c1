import { providerConformance } from '../../src/provider/conformance.ts';
import { openStandIns, openStatic } from './opened.ts';

providerConformance('cloudflare-r2, on a stand-in', openStandIns);
providerConformance('static', openStatic);
