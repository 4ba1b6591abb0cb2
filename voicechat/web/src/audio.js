/**
 * The sound devices: the microphone and the loudspeaker, each joined to the Worker by a port.
 *
 * A microphone that is missing, refused or unplugged costs only being heard; what happened is told.
 * Works in the page. May import `elements`.
 */
import { byId } from './elements.js';

/** Milliseconds for the sound system to begin; without one (Firefox) it never does. */
const START_MS = 4000;

/** What the microphone is asked to do: the friends' voices are taken off it, and noise, unless settings say otherwise. */
const TREATED = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

/** @typedef {(line: string, kind: 'event' | 'trouble') => void} Say */

/** Both devices of one call. */
export class Audio {
  /**
   * @param {Worker} worker
   * @param {Say} say
   */
  constructor(worker, say) {
    this.worker = worker;
    this.say = say;
    this.context = new AudioContext({ sampleRate: 48000, latencyHint: 'interactive' });
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {MediaStreamAudioSourceNode | null} */
    this.source = null;
    /** @type {AudioWorkletNode | null} */
    this.capture = null;
    this.wanted = '';
    navigator.mediaDevices.addEventListener('devicechange', () => this.devicesChanged());
  }

  /**
   * @param {string} microphone a device's id, '' for the usual one
   * @param {string} loudspeaker
   */
  async start(microphone, loudspeaker) {
    const code = byId('worklet').textContent ?? '';
    await this.context.audioWorklet.addModule('data:text/javascript,' + encodeURIComponent(code));
    this.begin();
    const play = new AudioWorkletNode(this.context, 'loudspeaker', { numberOfInputs: 0, outputChannelCount: [1] });
    play.connect(this.context.destination);
    this.hand('loudspeaker', play);
    this.capture = new AudioWorkletNode(this.context, 'microphone', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
    this.hand('microphone', this.capture);
    if (loudspeaker) await this.setLoudspeaker(loudspeaker);
    await this.setMicrophone(microphone);
  }

  /** Sound begins, once the browser lets a page play: where it was joined without a click, at the first one. */
  begin() {
    const begun = this.context.resume();
    if (!navigator.userActivation.hasBeenActive) {
      this.say('click anywhere: before that this browser plays no sound', 'trouble');
      addEventListener('pointerdown', () => this.begin(), { once: true });
      addEventListener('keydown', () => this.begin(), { once: true });
      return;
    }
    const late = setTimeout(() => this.say('no loudspeaker found: you hear nothing', 'trouble'), START_MS);
    begun.finally(() => clearTimeout(late));
  }

  /**
   * One end of a channel to the worklet, the other to the Worker.
   * @param {string} name
   * @param {AudioWorkletNode} node
   */
  hand(name, node) {
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage(port1, [port1]);
    this.worker.postMessage({ [name]: port2 }, [port2]);
  }

  /** @param {string} id */
  async setMicrophone(id) {
    this.wanted = id;
    const exactly = id ? { deviceId: { exact: id } } : {};
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { ...TREATED, ...exactly } });
    } catch (error) {
      this.refused(/** @type {DOMException} */ (error), id);
      return;
    }
    this.release();
    this.stream = stream;
    const [track] = stream.getAudioTracks();
    track.onended = () => {
      this.say(`'${track.label}' is gone: you are not heard`, 'trouble');
      this.release();
    };
    this.source = this.context.createMediaStreamSource(stream);
    if (this.capture) this.source.connect(this.capture);
  }

  /**
   * @param {DOMException} error
   * @param {string} id
   */
  refused(error, id) {
    if (error.name === 'NotAllowedError') {
      this.say('the browser was told not to give its microphone: you are not heard. Allow it beside the address', 'trouble');
    } else if (id) {
      this.say('that microphone is not there; the usual one is taken', 'trouble');
      this.setMicrophone('');
    } else if (error.name === 'NotFoundError') {
      this.say('no microphone found: you are not heard', 'trouble');
    } else {
      this.say(`the microphone cannot be opened (${error.message}): you are not heard`, 'trouble');
    }
  }

  release() {
    this.source?.disconnect();
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.stream = this.source = null;
  }

  /** @param {string} id */
  async setLoudspeaker(id) {
    const context = /** @type {AudioContext & {setSinkId?: (id: string) => Promise<void>}} */ (this.context);
    await context.setSinkId?.(id).catch(() => this.say('that loudspeaker is not there', 'trouble'));
  }

  async devicesChanged() {
    if (this.stream || this.context.state === 'closed') return;
    await this.setMicrophone(this.wanted);
    if (this.stream) this.say('the microphone is back', 'event');
  }

  /** The devices that there are, of one kind: id and name. @param {MediaDeviceKind} kind */
  async devices(kind) {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== 'default');
  }

  /** Some browsers let one choose the loudspeaker. */
  get choosesLoudspeaker() {
    return 'setSinkId' in this.context;
  }

  async stop() {
    this.release();
    await this.context.close();
  }
}
