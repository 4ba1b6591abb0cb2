/**
 * What of the player is sent: muted, deafened, and the talk key (voicechat/client/call/transmit.py).
 *
 * Pure. May import nothing.
 */
/** @import { GateMode } from './gate.js' */

/** @typedef {'active' | 'muted' | 'deafened' | 'deafened and muted'} MuteState */
/** @typedef {'mute' | 'unmute' | 'deafen' | 'undeafen'} Wish */
/** @typedef {'voice' | 'push' | 'push-to-mute'} TalkMode what opens the microphone */

/**
 * What a wish leads to; one that has no entry is fulfilled already.
 * @type {Record<MuteState, Partial<Record<Wish, MuteState>>>}
 */
export const WISHES = {
  active: { mute: 'muted', deafen: 'deafened' },
  muted: { unmute: 'active', deafen: 'deafened and muted' },
  deafened: { mute: 'deafened and muted', unmute: 'active', undeafen: 'active' },
  'deafened and muted': { unmute: 'active', undeafen: 'muted' },
};

/** @param {MuteState} state */
export const isMuted = (state) => state !== 'active';
/** @param {MuteState} state */
export const isDeafened = (state) => state === 'deafened' || state === 'deafened and muted';

/**
 * Who decides about the microphone.
 * @param {MuteState} state
 * @param {TalkMode} mode
 * @param {boolean} held the talk key is
 * @returns {GateMode}
 */
export function gateMode(state, mode, held) {
  if (isMuted(state)) return 'muted';
  if (mode === 'push') return held ? 'open' : 'shut';
  if (mode === 'push-to-mute') return held ? 'muted' : 'voice';
  return held ? 'open' : 'voice';
}
