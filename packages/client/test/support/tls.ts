/** A real server with a secure port, and what clients of it show. */
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

export const pair = ({ cert, key }: ZooKeeperServer.Tls["client"]) => ({ cert, key: Redacted.make(key) })

const makeServer = Effect.fnUntraced(function* (config: ReadonlyArray<string>) {
  const server = yield* ZooKeeperServer.make({ tls: true, config })
  const { tls = assert.fail("no TLS") } = server
  return { server, tls, secure: TestServer.targetOf(tls.connectString), good: { ca: tls.ca, ...pair(tls.client) } }
})

/** A secure server that demands a certificate of its clients, and the options of one that it lets in. */
export const makeRealServer = makeServer([])

/** One that speaks TLS 1.2 alone: which version others speak depends on their release. */
export const makeTls12Server = makeServer(["ssl.protocol=TLSv1.2", "ssl.enabledProtocols=TLSv1.2"])

export interface RealServer extends Effect.Success<typeof makeRealServer> {}

/** Tests on what a layer makes. Servers before 3.5 speak no TLS. */
export const describeWithTls = <R, E>(servers: Layer.Layer<R, E>) => {
  const describe = layer(servers, { excludeTestServices: true, timeout: "60 seconds" })
  return TestServer.isAtLeast("3.5.0")
    ? describe
    : (name: string, _tests: Parameters<typeof describe>[1]) =>
        it.skipIf(true)(TestServer.needs("3.5.0", name), () => {})
}
