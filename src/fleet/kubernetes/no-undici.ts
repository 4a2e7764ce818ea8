/**
 * What the Kubernetes client finds for undici in the bundle. It would make requests with it, and here makes none; it is half a
 * megabyte, and does not load on Node below 22.19.
 */
class NotHere {
  constructor() {
    throw new Error('the Kubernetes client is for credentials only: undici is not in the bundle');
  }
}

export { NotHere as Agent, NotHere as ProxyAgent };

export function fetch(): never {
  throw new Error('the Kubernetes client is for credentials only: undici is not in the bundle');
}
