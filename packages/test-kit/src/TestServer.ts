/**
 * The one server that all test files of a run share, and a place of its own on it for each test.
 *
 * Tests that kill, pause or configure a server start their own with `ZooKeeperServer` or `ZooKeeperEnsemble`.
 */
import * as Crypto from "node:crypto"
import { inject } from "vitest"
import type * as FaultProxy from "./FaultProxy.ts"
import * as Release from "./Release.ts"
import type { TestWith } from "./TestWith.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** `host:port` of the run's shared server. */
    readonly zookeeper: string
    /** The release that it reports. */
    readonly zookeeperRelease: string
  }
}

/**
 * `host:port` of the shared server. It is standalone, with a tick of 500 ms, the super user `super:secret`, TTL nodes,
 * containers and all four-letter words.
 */
export const connectString = (): string => inject("zookeeper")

/** A server of a connect string, as a proxy wants it named. */
export const targetOf = (server: string): FaultProxy.Target => {
  const [host = "", port = ""] = server.split(":")
  return { host, port: Number(port) }
}

/** The shared server, likewise. */
export const target = (): FaultProxy.Target => targetOf(connectString())

/** The release that the shared server reports, such as `3.8.0`. */
export const release = (): string => inject("zookeeperRelease")

/** Whether the shared server, and with it every server of the run, is of this release or a newer one. */
export const isAtLeast = (other: string): boolean => Release.isAtLeast(release(), other)

/** A title; it says that the test needs this release where the server is older. */
export const needs = (first: string, title: string): string =>
  isAtLeast(first) ? title : Release.needsTitle(title, first)

/** Tests that need this release. On an older server they are skipped, and their titles say so. */
export const since = <A, R>(first: string, test: TestWith<A, R>): TestWith<A, R> =>
  isAtLeast(first) ? test : (title) => test(needs(first, title), { skip: true }, function* () {})

/** The title of a test that asserts a typed refusal on servers older than this release. */
export const refusedBefore = (first: string, title: string): string =>
  isAtLeast(first) ? title : Release.refusedTitle(title, first)

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
