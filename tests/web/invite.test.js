import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkError, fromFragment, parseInvite } from '../../voicechat/web/src/invite.js';

const plain = (invite) => ({ ...invite, fields: Object.fromEntries(invite.fields) });

test('a link is read as the client reads it', () => {
  assert.deepEqual(plain(parseInvite('voicechat://play.example.org:4321/den#s-ecret')), {
    host: 'play.example.org',
    port: 4321,
    room: 'den',
    password: 's-ecret',
    fields: {},
  });
  assert.deepEqual(plain(parseInvite(' <voicechat://[2001:db8::7]/> ')), {
    host: '[2001:db8::7]',
    port: 1234,
    room: '',
    password: null,
    fields: {},
  });
  assert.equal(parseInvite('voicechat://h/a%23b%20c#d%26e%25').room, 'a#b c');
  assert.equal(parseInvite('voicechat://h/a#d%26e%25').password, 'd&e%');
});

test('fields follow the secret', () => {
  const invite = parseInvite('voicechat://h#s&key=abc&name=A%26n&join&room=');
  assert.equal(invite.password, 's');
  assert.deepEqual(Object.fromEntries(invite.fields), { key: 'abc', name: 'A&n', join: '', room: '' });
  assert.equal(parseInvite('voicechat://h#s&name=Ann%20(2)').fields.get('name'), 'Ann (2)');
  assert.equal(parseInvite('voicechat://h&name=Ann').fields.get('name'), 'Ann');
});

test('a fragment holds the link as it is, or with its # written as %23', () => {
  for (const fragment of ['#voicechat://h:9/r#s%26t&name=Ann&join', '#voicechat://h:9/r%23s%2526t&name=Ann&join']) {
    const invite = fromFragment(fragment);
    assert.deepEqual([invite.host, invite.port, invite.room, invite.password], ['h', 9, 'r', 's&t'], fragment);
    assert.ok(invite.fields.has('join'));
  }
  assert.equal(fromFragment('#voicechat://h/a%2523b%23c%2523d').room, 'a#b');
  assert.equal(fromFragment('#voicechat://h/a%2523b%23c%2523d').password, 'c#d');
  assert.equal(fromFragment('#voicechat://h/a%23s%26t').password, 's&t');
  assert.equal(fromFragment(''), null);
  assert.equal(fromFragment('#'), null);
});

test('what is wrong with a link is told, and nothing of it shown', () => {
  for (const [link, told] of [
    ['http://h/#SECRET', /begins with voicechat/],
    ['voicechat://h/#', /password behind it is missing/],
    ['voicechat://:1/#SECRET', /names no server/],
    ['voicechat://h:70000/#SECRET', /1 to 65535/],
    ['voicechat://h:x/#SECRET', /names no server/],
    ['voicechat://u@h/#SECRET', /names no server/],
    ['voicechat://h/%zz#SECRET', /% stands alone/],
    ['voicechat://h/%ff#SECRET', /not UTF-8/],
    ['voicechat://h/a/b#SECRET', /one \/ before the room/],
    ['voicechat://h/r\n#SECRET', /broken in two/],
    ['voicechat://h/#' + 'S'.repeat(3000), /at most 2048/],
  ]) {
    assert.throws(
      () => parseInvite(link),
      (error) => error instanceof LinkError && told.test(error.message) && !error.message.includes('SECRET'),
      link,
    );
  }
});
