import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPlaces } from '../../src/http/places.ts';

describe('places', () => {
  it('have what was put until it leaves, and give its place to the next', () => {
    const places = createPlaces<string>();
    const leaveFirst = places.put('first');
    places.put('second');
    assert.deepEqual([...places], ['first', 'second']);
    leaveFirst();
    assert.deepEqual([...places], ['second']);
    places.put('third');
    assert.deepEqual([...places], ['third', 'second']);
  });

  it('are left once: who leaves again takes nothing from the next', () => {
    const places = createPlaces<string>();
    const leave = places.put('first');
    leave();
    places.put('second');
    leave();
    places.put('third');
    assert.deepEqual([...places], ['second', 'third']);
  });
});
