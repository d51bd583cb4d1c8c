/**
 * An embedded server for the tests of one file, with the hooks of any test runner: Vitest, Jest, `node:test` and others.
 *
 * @since 0.1.0
 */
import { type ListenOptions, type PromiseServer, start } from "./EmbeddedServer.ts"

/**
 * The hooks of a test runner: `beforeAll`, `afterAll` and `beforeEach` of Vitest and Jest, and `before`, `after` and `beforeEach`
 * of `node:test`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hooks {
  readonly beforeAll: Hook
  readonly afterAll: Hook
  /**
   * With it every test begins with a server as at the start: without znodes, sessions and faults, and with all members running.
   * Leave it out if tests build on each other, or share a client.
   */
  readonly beforeEach?: Hook | undefined
}

/**
 * One hook of a test runner.
 *
 * @category models
 * @since 0.1.0
 */
export type Hook = (run: () => Promise<void>) => unknown

/**
 * Starts a server before the tests and closes it after them. Gives a function that gives the server; it throws outside of
 * tests and hooks, when there is none.
 *
 * @example
 * ```ts
 * import { PromiseClient } from "@effect-zookeeper/client"
 * import { TestHooks } from "@effect-zookeeper/server"
 * import { afterAll, beforeAll, beforeEach, expect, test } from "vitest"
 *
 * const server = TestHooks.embeddedServer({ beforeAll, afterAll, beforeEach })
 *
 * test("a job is free again when its worker's session has expired", async () => {
 *   await using worker = await PromiseClient.connect(server().connectString)
 *   await using other = await PromiseClient.connect(server().connectString)
 *   await worker.create("/job", { mode: "ephemeral" })
 *   await server().expireSession(worker.session.id)
 *   expect(await other.exists("/job")).toBe(false)
 * })
 * ```
 *
 * @category hooks
 * @since 0.1.0
 */
export const embeddedServer = (hooks: Hooks, options?: ListenOptions): (() => PromiseServer) => {
  let server: PromiseServer | undefined
  const running = (): PromiseServer => {
    if (server === undefined) throw new Error("the embedded server does not run: use it in tests and hooks alone")
    return server
  }
  let reset: (() => Promise<void>) | undefined
  hooks.beforeAll(async () => {
    server = await start(options)
    reset = await makeReset(server, options)
  })
  hooks.afterAll(async () => {
    await server?.close()
    server = undefined
  })
  hooks.beforeEach?.(async () => reset?.())
  return running
}

// ---- internal

const makeReset = async (server: PromiseServer, options: ListenOptions | undefined): Promise<() => Promise<void>> => {
  const empty = await server.snapshot()
  const members = Array.from({ length: Math.max(options?.members ?? 1, 1) }, (_, member) => member)
  return async () => {
    await server.clearFaults()
    await server.setLatency(options?.latency ?? 0)
    await server.resume()
    await server.start()
    await Promise.all(members.flatMap((member) => [server.setReadOnly(false, member), server.setLag(member, 0)]))
    await server.restore(empty)
  }
}
