/**
 * The browser's end of WebRTC: it makes an offer, throws it away, and sets the answer that it builds itself.
 *
 * There is no signalling but two messages (docs/wire-protocol.md, 4.3). One silent track goes up, to carry
 * what the Worker puts in; one comes down, of which the Worker takes all. It is tried again by the Worker's
 * word alone.
 * Works in the page. May import nothing.
 */

/** @typedef {{ufrag: string, password: string, fingerprint: string, ssrc: number}} Accept */

/** Whether this browser lets a page put in and take out what WebRTC carries. */
export const hasRtc = 'RTCPeerConnection' in window && 'RTCRtpScriptTransform' in window;

/** One connection after another to one server. */
export class Rtc {
  /**
   * @param {Worker} worker
   * @param {AudioContext} context
   */
  constructor(worker, context) {
    this.worker = worker;
    /** @type {RTCPeerConnection | null} */
    this.connection = null;
    this.payloadType = '';
    const silence = context.createConstantSource();
    silence.offset.value = 0;
    this.carrier = context.createMediaStreamDestination();
    silence.connect(this.carrier);
    silence.start();
  }

  /** Begin anew; the Worker sends the offer. */
  async offer() {
    this.close();
    const certificate = await RTCPeerConnection.generateCertificate(/** @type {any} */ ({ name: 'ECDSA', namedCurve: 'P-256' }));
    const connection = new RTCPeerConnection({ certificates: [certificate] });
    this.connection = connection;
    const { sender, receiver } = connection.addTransceiver(this.carrier.stream.getAudioTracks()[0], { direction: 'sendrecv' });
    sender.transform = new RTCRtpScriptTransform(this.worker, 'send');
    receiver.transform = new RTCRtpScriptTransform(this.worker, 'receive');
    connection.onconnectionstatechange = () => {
      if (connection === this.connection) this.worker.postMessage({ rtc: connection.connectionState });
    };
    const { sdp = '' } = await connection.createOffer();
    await connection.setLocalDescription({ type: 'offer', sdp });
    this.payloadType = /a=rtpmap:(\d+) opus\/48000/i.exec(sdp)?.[1] ?? '';
    const fingerprint = /a=fingerprint:sha-256 (\S+)/i.exec(sdp)?.[1] ?? '';
    this.worker.postMessage({ offer: { payload_type: Number(this.payloadType), fingerprint: fingerprint.toUpperCase() } });
  }

  /**
   * The answer is made of what the server said.
   * @param {Accept} accept
   * @param {string} host
   * @param {number} port
   */
  async accept({ ufrag, password, fingerprint, ssrc }, host, port) {
    const address = host.replace(/[[\]]/g, '');
    const type = this.payloadType;
    const lines = [
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      't=0 0',
      'a=ice-lite',
      'a=group:BUNDLE 0',
      `m=audio ${port} UDP/TLS/RTP/SAVPF ${type}`,
      'c=IN IP4 0.0.0.0',
      'a=mid:0',
      'a=sendrecv',
      'a=rtcp-mux',
      `a=rtpmap:${type} opus/48000/2`,
      `a=fmtp:${type} minptime=20;useinbandfec=0;usedtx=0`,
      'a=ptime:20',
      'a=msid:voice voice',
      `a=ssrc:${ssrc} cname:voice`,
      `a=ice-ufrag:${ufrag}`,
      `a=ice-pwd:${password}`,
      `a=fingerprint:sha-256 ${fingerprint}`,
      'a=setup:passive',
      `a=candidate:1 1 udp 2130706431 ${address} ${port} typ host`,
      'a=end-of-candidates',
      '',
    ];
    await this.connection?.setRemoteDescription({ type: 'answer', sdp: lines.join('\r\n') });
  }

  close() {
    this.connection?.close();
    this.connection = null;
  }
}
