import { test } from 'node:test';
import { createRandom } from '../random.ts';
import { killAppenders, killBringers } from './killed-uploads.ts';

const seed = Number(process.env.ARTIFACTSTORE_TEST_SEED ?? Math.floor(Math.random() * 1_000_000));

test(`processes that are killed at many points lose nothing that they acknowledged (seed ${seed})`, () => {
  const random = createRandom(seed);
  return killAppenders(Array.from({ length: 60 }, () => random(250)));
});

test(`processes that are killed while they bring short files whole lose none that they answered (seed ${seed})`, () => {
  const random = createRandom(seed);
  return killBringers(Array.from({ length: 40 }, () => random(250)));
});
