import { providerConformance } from '../../src/provider/conformance.ts';
import { openIamStandIns, openStandIns, openStatic } from './opened.ts';

providerConformance('cloudflare-r2, on a stand-in', openStandIns);
providerConformance('aws-iam, on a stand-in', openIamStandIns);
providerConformance('static', openStatic);
