/** What an AudioWorkletGlobalScope has and TypeScript's DOM library leaves out (Web Audio API, 1.32). */

declare const currentFrame: number;

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
