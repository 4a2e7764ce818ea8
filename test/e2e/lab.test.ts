/** The stage itself: what the other tests build on is really there. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { must, run } from './lib/command.ts';
import { Lab } from './lib/lab.ts';
import { makeNetwork } from './lib/network.ts';
import { describeOnSockets } from './lib/tools.ts';

const PUBLIC = ['3.34.148.207', '3.38.61.180'];
const X_ENI = ['192.168.1.231', '192.168.2.210'];
const NODE = '192.168.1.204';
const URL = 'https://10.100.0.1/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes';

describeOnSockets('the stand-ins', () => {
  test('a client bears its name, holds a verified TLS connection from where it was told, and runs as root', async () => {
    await using lab = await Lab.make({ node: [NODE], servers: [...PUBLIC, ...X_ENI], answer: PUBLIC });
    const kubelet = await lab.startClient('kubelet');
    const { local, peer } = await kubelet.connect('3.34.148.207', { localAddress: NODE, localPort: 44084 });
    expect({ local, peer }).toEqual({ local: '192.168.1.204:44084', peer: '3.34.148.207:443' });

    const proc = `${lab.network.proc}/${kubelet.pid}`;
    expect(await readFile(`${proc}/comm`, 'utf8')).toBe('kubelet\n');
    expect(await readFile(`${proc}/status`, 'utf8')).toMatch(/^Uid:\t0\t0\t0\t0$/m);
    expect(await readFile(`${proc}/cmdline`, 'utf8')).toContain(`\0--kubeconfig=${lab.kubeconfig}\0`);
    expect(await readFile(`${proc}/net/tcp`, 'utf8')).toContain('CC01A8C0:AC34 CF942203:01BB 01');

    const stranger = await lab.startClient('kubelet', { uid: 1000 });
    expect(await readFile(`${lab.network.proc}/${stranger.pid}/comm`, 'utf8')).toBe('kubelet\n');
    expect(await readFile(`${lab.network.proc}/${stranger.pid}/status`, 'utf8')).toMatch(
      /^Uid:\t1000\t1000\t1000\t1000$/m,
    );
  });

  test('a client follows DNS when it connects anew, and its old connection stays', async () => {
    await using lab = await Lab.make({ node: [NODE], servers: [...PUBLIC, ...X_ENI], answer: PUBLIC });
    const kubelet = await lab.startClient('kubelet');
    const before = await kubelet.connect();
    expect(PUBLIC.map((address) => `${address}:443`)).toContain(before.peer);
    await lab.flipDns(X_ENI);
    const after = await kubelet.connect();
    expect(X_ENI.map((address) => `${address}:443`)).toContain(after.peer);
    await kubelet.program.close(before);
    await expect(kubelet.program.close(before)).rejects.toThrow('there is none');
  });

  test('DNS falls silent, comes back, and refuses', async () => {
    await using lab = await Lab.make({ node: [NODE], servers: PUBLIC, answer: PUBLIC });
    const kubelet = await lab.startClient('kubelet');
    lab.dns.pause();
    expect(await kubelet.program.resolve(lab.hostname)).toEqual([]);
    lab.dns.resume();
    await lab.dnsAnswers(PUBLIC);
    lab.dns.stop();
    await lab.dnsAnswers([]);
  });

  test('an API server is stopped, started again, and replaced by another', async () => {
    await using lab = await Lab.make({ node: [NODE], servers: [...PUBLIC, ...X_ENI], answer: PUBLIC });
    const kubelet = await lab.startClient('kubelet');
    const [one = '', two = ''] = X_ENI;
    const kept = await kubelet.connect(one);
    await lab.servers.stop(one);
    await expect(kubelet.connect(one)).rejects.toThrow('ECONNREFUSED');
    await kubelet.connect(two);
    expect(await kubelet.program.exchange(kept, 'still there')).toBe('still there');
    await lab.servers.start([one]);
    await kubelet.connect(one);
    await expect
      .poll(() => lab.servers.tally(one))
      .toEqual({
        accepted: 1,
        handshakes: 1,
        brokenHandshakes: 0,
        broken: 0,
      });
    await lab.servers.replace(one, 'other');
    await expect(kubelet.connect(one)).rejects.toThrow('unable to verify the first certificate');
    await lab.servers.replace(one, 'plain');
    await expect(kubelet.connect(one)).rejects.toThrow(/unexpected message|wrong version number/i);
  });

  test.for(['192.168.1.231', '2600:1f14:abcd:ef01::a1'])(
    '%s falls silent, the others do not',
    async (address) => {
      const node = address.includes(':') ? '2600:1f14:abcd:ef01::5' : NODE;
      await using lab = await Lab.make({
        node: [...new Set([NODE, node])],
        servers: [...PUBLIC, address],
        answer: PUBLIC,
      });
      const kubelet = await lab.startClient('kubelet');
      const stale = await kubelet.connect(PUBLIC[0]);
      const held = await kubelet.connect(address);
      const where = address.includes(':') ? `[${address}]` : address;
      await lab.network.silence(address);
      const opening = await kubelet.program.begin({ host: address, port: 443 });
      await kubelet.program.write(held, 'lost at first');
      // Longer than it takes a host to find out that its neighbour is gone: the kernel would refuse by itself.
      await setTimeout(4000);
      const { stdout } = await run('ss', ['-Htno', '-N', lab.network.node.name, 'dst', where]);
      expect(stdout).toMatch(/^SYN-SENT/m);
      expect(stdout).toMatch(/^ESTAB +0 +[1-9]\d* .*timer:\(on,/m);
      expect(await kubelet.program.exchange(stale, 'works')).toBe('works');
      await kubelet.program.close({ id: opening });
      await lab.network.restore(address);
      await kubelet.connect(address);
    },
  );

  test('the EndpointSlice is given to whom has the token', async () => {
    await using lab = await Lab.make({ node: [NODE], servers: PUBLIC, answer: PUBLIC, slice: X_ENI });
    const account = join(lab.folder, 'machine', 'run', 'secrets', 'kubernetes.io', 'serviceaccount');
    const kubelet = await lab.startClient('kubelet');
    const ask = async () => {
      const headers = { authorization: `Bearer ${await readFile(join(account, 'token'), 'utf8')}` };
      const ca = await readFile(join(account, 'ca.crt'), 'utf8');
      return JSON.parse((await kubelet.program.fetch(URL, { headers, ca })).body);
    };
    expect(await ask()).toMatchObject({ kind: 'EndpointSlice', addressType: 'IPv4' });
    await lab.slice.rotateToken('token-2');
    expect(await ask()).toMatchObject({ kind: 'Status', code: 401 });
    await lab.slice.writeToken();
    await lab.slice.give(['2600:1f14:abcd:ef01::a1']);
    expect(await ask()).toMatchObject({ addressType: 'IPv6', endpoints: [{ conditions: { ready: true } }] });
    expect(await lab.slice.statuses()).toEqual([200, 401, 200]);
  });

  test('IMDS speaks to whom has a token', async () => {
    const imds = ['192.168.0.0/16', '100.64.0.0/16'];
    await using lab = await Lab.make({ node: [NODE], servers: PUBLIC, answer: PUBLIC, imds });
    const { program } = await lab.startClient('kubelet');
    const base = 'http://169.254.169.254/latest';
    const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
    const { body: token } = await program.fetch(`${base}/api/token`, { method: 'PUT', headers: ttl });
    const headers = { 'x-aws-ec2-metadata-token': token };
    const get = (path: string) =>
      program.fetch(`${base}/meta-data/network/interfaces/macs/${path}`, { headers });
    const mac = (await get('')).body.trim();
    expect(await get(`${mac}vpc-ipv4-cidr-blocks`)).toEqual({ status: 200, body: imds.join('\n') });
    expect(await get(`${mac}vpc-ipv6-cidr-blocks`)).toMatchObject({ status: 404 });
    expect(await program.fetch(`${base}/meta-data/mac`)).toMatchObject({ status: 401 });
  });

  test('outside the VPC DNS gives something else, and the hosts file of the node goes first', async () => {
    await using lab = await Lab.make({
      ...{ node: [NODE], servers: [...PUBLIC, ...X_ENI], answer: X_ENI, outside: PUBLIC },
    });
    const kubelet = await lab.startClient('kubelet');
    await lab.dnsAnswers(X_ENI);
    await lab.dnsAnswers(PUBLIC, '8.8.8.8');
    await lab.network.setHosts([`${PUBLIC[1]} ${lab.hostname}`]);
    expect((await kubelet.connect()).peer).toBe(`${PUBLIC[1]}:443`);
    expect(await readFile(`${lab.network.proc}/${kubelet.pid}/root/etc/hosts`, 'utf8')).toContain(
      lab.hostname,
    );
  });

  test('a client has the environment it was given', async () => {
    await using lab = await Lab.make({ node: [NODE], servers: PUBLIC, answer: PUBLIC });
    const kubelet = await lab.startClient('kubelet', { env: { HTTPS_PROXY: 'http://10.0.0.9:3128' } });
    expect(await readFile(`${lab.network.proc}/${kubelet.pid}/environ`, 'utf8')).toContain(
      'HTTPS_PROXY=http://10.0.0.9:3128\0',
    );
  });

  test('what a crashed run left behind is gone after the next start', async () => {
    const dead = 'eks-e2e-4194305-1-node'; // above the greatest pid there is
    await must('ip', ['netns', 'add', dead]);
    await using network = await makeNetwork({ node: [NODE], far: [], resolver: '192.168.0.2' });
    const there = await must('ip', ['netns', 'list']);
    expect(there).toContain(network.node.name);
    expect(there).not.toContain(dead);
  });
});
