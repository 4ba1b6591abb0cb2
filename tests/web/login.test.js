import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { WireError, fromHex, toHex, utf8 } from '../../voicechat/web/src/bytes.js';
import { PasswordLogin, Reason, Refused, TicketLogin, WrongServer } from '../../voicechat/web/src/login.js';
import { Spake2 } from '../../voicechat/web/src/spake2.js';
import { controls, example } from './wirepage.js';

const PASSWORD = 'correct horse';
const [REQUEST] = controls('request');
const [WELCOME] = controls('welcome');
/** The random numbers of the page's example. */
const drawn = (length) => (length === 16 ? Uint8Array.from({ length }, (_, at) => at) : new Uint8Array(length).fill(0x61));

async function loggedIn(password = PASSWORD) {
  const login = await PasswordLogin.begin(password, drawn);
  const { send } = await login.received(example('reply'), REQUEST);
  return { login, send };
}

test('the login of the wire page, string by string', async () => {
  const { login, send } = await loggedIn();
  assert.equal(toHex(login.first), toHex(example('hello')));
  assert.equal(toHex(send), toHex(example('auth')));
  const { welcome } = await login.received(example('welcome string'), REQUEST);
  assert.equal(toHex(welcome), toHex(WELCOME));
  assert.equal(toHex(login.keys.out.seal(controls('')[9])), toHex(example('string from the client')));
  assert.equal(toHex(login.keys.in.open(example('string from the server'))), toHex(controls('')[4]));
});

test('the shared secret and the keys of the wire page', async () => {
  const pake = await Spake2.begin(PASSWORD, drawn);
  assert.equal(toHex(await pake.finish(example('reply').slice(5))), toHex(example('shared')));
  const { login } = await loggedIn();
  const [confirm, out, back] = [login.keys.confirm, login.keys.out.key, login.keys.in.key].map(toHex);
  assert.equal(confirm + out + back, toHex(example('keys').slice(0, 96)));
});

test('the ticket of the wire page brings its owner back', async () => {
  const given = JSON.parse(new TextDecoder().decode(WELCOME.slice(1))).ticket;
  const login = await TicketLogin.begin({ id: fromHex(given.id), secret: fromHex(given.secret) }, (length) =>
    new Uint8Array(length).fill(0x63),
  );
  assert.equal(toHex(login.first), toHex(example('resume')));
  assert.equal(toHex((await login.received(example('resumed'))).welcome), toHex(WELCOME));
  assert.equal(login.keys.out.count, 0);
});

test('a server with another password is not believed', async () => {
  const { login } = await loggedIn('correct hose');
  await assert.rejects(login.received(example('welcome string'), REQUEST), WrongServer);
});

test('a password means the same however its letters are put together', async () => {
  const [one, two] = await Promise.all(['Z\u00fcrich', 'Zu\u0308rich'].map((text) => Spake2.begin(text, drawn)));
  assert.equal(toHex(one.message), toHex(two.message));
});

test('a REFUSE says why, in every version', async () => {
  for (const [string, reason, retry] of [
    [example('refuse'), Reason.TRY_LATER, 60],
    [fromHex('5643ff7f01000200'), Reason.VERSION, 0],
    [fromHex('5643020200'), Reason.VERSION, 0],
  ]) {
    const login = await PasswordLogin.begin(PASSWORD, drawn);
    await assert.rejects(login.received(string, REQUEST), (error) => {
      assert.ok(error instanceof Refused);
      assert.deepEqual([error.reason, error.retry], [reason, retry]);
      return true;
    });
  }
});

test('points that cannot be a server\'s message end the login', async () => {
  const points = {
    'not on the curve': '02' + '00'.repeat(31),
    'the neutral one': '01' + '00'.repeat(31),
    'of order 2': 'ec' + 'ff'.repeat(30) + '7f',
    'of order 4': '00'.repeat(32),
    'not as it is written': 'ee' + 'ff'.repeat(30) + '7f',
    'minus zero': '01' + '00'.repeat(30) + '80',
  };
  for (const [what, digits] of Object.entries(points)) {
    const login = await PasswordLogin.begin(PASSWORD, drawn);
    await assert.rejects(login.received(fromHex('5643010242' + digits), REQUEST), WireError, what);
  }
  const login = await PasswordLogin.begin(PASSWORD, drawn);
  const own = toHex(login.pake.message);
  await assert.rejects(login.received(fromHex('5643010242' + own), REQUEST), WireError, 'our own');
});

test('garbage for any of the server\'s strings is an error of the wire, and none other', async () => {
  const strings = [example('reply'), example('welcome string'), example('resumed'), utf8('HTTP/1.1 400 Bad Request')];
  for (let round = 0; round < 60; round++) {
    const string = strings[round % strings.length].slice();
    string[randomBytes(1)[0] % string.length] ^= 1 + (randomBytes(1)[0] % 255);
    const cut = round % 3 ? string : string.slice(0, randomBytes(1)[0] % string.length);
    const login = await PasswordLogin.begin(PASSWORD, drawn);
    const failed = (error) => error instanceof WireError || error instanceof Refused || error instanceof WrongServer;
    try {
      await login.received(cut, REQUEST);
      await login.received(cut, REQUEST);
      assert.fail('it was taken');
    } catch (error) {
      assert.ok(failed(error), String(error));
    }
  }
});
