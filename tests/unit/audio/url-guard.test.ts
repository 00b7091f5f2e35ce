import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkUrl, pinnedLookup, resolveRedirect } from '../../../audio/url-guard.ts';
import { expectCode } from '../../fakes/audio-workbench.ts';

const STRICT = { allowHttp: false, allowPrivateUrls: false };
const PRIVATE = { allowHttp: true, allowPrivateUrls: true };
const PUBLIC_V4 = { address: '93.184.216.34', family: 4 };
const PUBLIC_V6 = { address: '2606:2800:220:1:248:1893:25c8:1946', family: 6 };
const LOOPBACK = { address: '127.0.0.1', family: 4 };
const never = () => Promise.reject(new Error('an IP literal must not be resolved'));

const PRIVATE_HOSTS = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '１２７.0.0.1',
  '①②⑦.0.0.1',
  '127.0.0.1.',
  '0.0.0.0',
  '0',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::]',
  '[fe80::1]',
  '[fec0::1]',
  '[fd00:ec2::254]',
  '[ff02::1]',
  '[2001:db8::1]',
];

for (const host of PRIVATE_HOSTS) {
  test(`https://${host}/ is forbidden`, async () => {
    await expectCode(checkUrl(`https://${host}/a`, STRICT, never), 'URL_FORBIDDEN');
  });
}

test('localhost is forbidden with the real resolver', async () => {
  await expectCode(checkUrl('https://localhost/a', STRICT), 'URL_FORBIDDEN');
});

test('no spelling of a loopback address passes', async () => {
  const spellings = fc.integer({ min: 0x7f00_0000, max: 0x7fff_ffff }).chain((address) => {
    const [a, b, c, d] = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255) as number[];
    return fc.constantFrom(
      String(address),
      `0x${address.toString(16)}`,
      `0${address.toString(8)}`,
      `${a}.${b}.${c}.${d}`,
      `${a}.${address & 0xff_ffff}`,
      `[::ffff:${a}.${b}.${c}.${d}]`,
    );
  });
  await fc.assert(
    fc.asyncProperty(spellings, async (host) => {
      await expectCode(checkUrl(`https://${host}/`, STRICT, never), 'URL_FORBIDDEN');
    }),
  );
});

test('a public address passes with its port left out or named', async () => {
  for (const url of ['https://93.184.216.34/a', 'https://93.184.216.34:443/a']) {
    expect((await checkUrl(url, STRICT, never)).addresses).toEqual([PUBLIC_V4]);
  }
  const { addresses } = await checkUrl(`https://[${PUBLIC_V6.address}]/`, STRICT, never);
  expect(addresses).toEqual([PUBLIC_V6]);
});

test('one private address among public ones forbids the host', async () => {
  const resolve = async () => [PUBLIC_V4, PUBLIC_V6, LOOPBACK];
  await expectCode(checkUrl('https://mixed.example/', STRICT, resolve), 'URL_FORBIDDEN');
});

test('a private address mapped into IPv6 by the resolver forbids the host', async () => {
  const resolve = async () => [{ address: '::ffff:10.0.0.1', family: 6 }];
  await expectCode(checkUrl('https://mapped.example/', STRICT, resolve), 'URL_FORBIDDEN');
});

test('http, other schemes, credentials and other ports are forbidden', async () => {
  const resolve = async () => [PUBLIC_V4];
  const urls = [
    'http://a.example/',
    'ftp://a.example/',
    'file:///etc/passwd',
    'data:audio/wav;base64,AAAA',
    'https://user@a.example/',
    'https://user:word@a.example/',
    'https://a.example:8443/',
    'https://a.example:22/',
    'not a url',
    '',
  ];
  for (const url of urls) await expectCode(checkUrl(url, STRICT, resolve), 'URL_FORBIDDEN');
});

test('allowHttp permits http and nothing else', async () => {
  const policy = { ...STRICT, allowHttp: true };
  const resolve = async () => [PUBLIC_V4];
  expect((await checkUrl('http://a.example/', policy, resolve)).addresses).toEqual([PUBLIC_V4]);
  await expectCode(checkUrl('ftp://a.example/', policy, resolve), 'URL_FORBIDDEN');
  await expectCode(checkUrl('http://127.0.0.1/', policy, resolve), 'URL_FORBIDDEN');
});

test('allowPrivateUrls relaxes addresses and ports only', async () => {
  expect((await checkUrl('http://127.0.0.1:8080/', PRIVATE, never)).addresses).toEqual([LOOPBACK]);
  await expectCode(checkUrl('http://user@127.0.0.1/', PRIVATE, never), 'URL_FORBIDDEN');
  await expectCode(checkUrl('file:///etc/passwd', PRIVATE, never), 'URL_FORBIDDEN');
  const httpsOnly = { ...PRIVATE, allowHttp: false };
  await expectCode(checkUrl('http://127.0.0.1/', httpsOnly, never), 'URL_FORBIDDEN');
});

test('a message never quotes the URL', async () => {
  const error = await expectCode(
    checkUrl('https://127.0.0.1/?token=s3cret', STRICT, never),
    'URL_FORBIDDEN',
  );
  expect(error.message).not.toMatch(/127|s3cret/);
});

test('a pinned lookup answers with the checked addresses, whatever is asked', () => {
  const lookup = pinnedLookup([PUBLIC_V4, PUBLIC_V6]);
  lookup('changed.example', { all: true }, (error, addresses) => {
    expect(error).toBeNull();
    expect(addresses).toEqual([PUBLIC_V4, PUBLIC_V6]);
  });
  lookup('changed.example', {}, (error, address, family) => {
    expect([error, address, family]).toEqual([null, PUBLIC_V4.address, 4]);
  });
  pinnedLookup([])('nowhere.example', {}, (error) => expect(error).toBeInstanceOf(Error));
});

test('a redirect may be relative, may change the host, and may not leave https', () => {
  const from = new URL('https://a.example/path/file?x=1');
  expect(resolveRedirect('../b', from).href).toBe('https://a.example/b');
  expect(resolveRedirect('//b.example/c', from).href).toBe('https://b.example/c');
  expect(resolveRedirect('https://a.example/', new URL('http://a.example/')).protocol).toBe(
    'https:',
  );
  expect(() => resolveRedirect('http://a.example/', from)).toThrow(/https to http/);
  expect(() => resolveRedirect('http://[', from)).toThrow(/not a URL/);
});
