/**
 * The one server that all test files of a run share, and a place of its own on it for each test.
 *
 * Tests that kill, pause or configure a server start their own with `ZooKeeperServer` or `ZooKeeperEnsemble`.
 */
import * as Crypto from "node:crypto"
import { inject } from "vitest"

declare module "vitest" {
  interface ProvidedContext {
    /** `host:port` of the run's shared server. */
    readonly zookeeper: string
  }
}

/**
 * `host:port` of the shared server. It is standalone, with a tick of 500 ms, the super user `super:secret`, TTL nodes,
 * containers and all four-letter words.
 */
export const connectString = (): string => inject("zookeeper")

/**
 * A path such as `/locks-5f3a0c12e9b4` that no other test uses, for a test to create and live under. `name` is what the
 * test is about.
 */
export const freshPath = (name: string): string => `/${name}-${Crypto.randomBytes(6).toString("hex")}`

/** The shared server's connect string with a fresh chroot, and that chroot, which the test has to create. */
export const fresh = (name: string): { readonly chroot: string; readonly connectString: string } => {
  const chroot = freshPath(name)
  return { chroot, connectString: connectString() + chroot }
}
