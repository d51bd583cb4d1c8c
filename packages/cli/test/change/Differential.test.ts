/** The same work by ZooKeeper's own shell and by `zk` leaves the same tree. */
import * as Acl from "@effect-zookeeper/client/Acl"
import type { Service } from "@effect-zookeeper/client/Service"
import { connect } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Targets from "@effect-zookeeper/test-kit/conformance/targets"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperInstall from "@effect-zookeeper/test-kit/ZooKeeperInstall"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as ChildProcess from "node:child_process"
import * as TreeWalk from "../../src/TreeWalk.ts"
import { run } from "../support/zk.ts"

/** A line for zkCli.sh, and the arguments of `zk` that do the same. */
const steps: ReadonlyArray<readonly [shell: string, args: ReadonlyArray<string>]> = [
  ["create /app one", ["create", "/app", "one"]],
  ["create /app/empty", ["create", "/app/empty"]],
  ["create -s /app/job- payload", ["create", "/app/job-", "payload", "--sequential"]],
  ["create -s /app/job- payload", ["create", "/app/job-", "payload", "--sequential"]],
  ["create -c /app/container", ["create", "/app/container", "--container"]],
  ["create -t 3600000 /app/ttl data", ["create", "/app/ttl", "data", "--ttl", "1h"]],
  ["create /app/acl data world:anyone:cdrw", ["create", "/app/acl", "data", "--acl", "world:anyone:cdrw"]],
  ["create /app/acl", ["create", "/app/acl"]],
  ["create /none/child x", ["create", "/none/child", "x"]],
  ["set /app two", ["set", "/app", "two"]],
  ["set -v 1 /app three", ["set", "/app", "three", "--version", "1"]],
  ["set -v 1 /app four", ["set", "/app", "four", "--version", "1"]],
  ["set /none x", ["set", "/none", "x"]],
  ["delete /app/empty", ["rm", "/app/empty"]],
  ["delete /app", ["rm", "/app"]],
  ["delete -v 7 /app/job-0000000001", ["rm", "/app/job-0000000001", "--version", "7"]],
  ["create /old x", ["create", "/old", "x"]],
  ["create /old/child x", ["create", "/old/child", "x"]],
  ["create /old/child/below x", ["create", "/old/child/below", "x"]],
  ["deleteall /old", ["rm", "-r", "/old", "--yes"]],
  ["sync /", ["sync", "/"]]
]

const runShell = (servers: string, lines: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const install = yield* ZooKeeperInstall.find
    if (install._tag !== "Java") return assert.fail("this test needs a ZooKeeper with a JVM")
    const args = ["-cp", install.classPath, "org.apache.zookeeper.ZooKeeperMain", "-server", servers]
    return yield* Effect.promise(
      () =>
        new Promise<string>((resolve) => {
          const child = ChildProcess.execFile(install.java, args, (_, out, err) => resolve(out + err))
          child.stdin?.end(`${lines.join("\n")}\nquit\n`)
        })
    )
  })

/** Everything of a tree that does not depend on when it was made. */
const readTree = (zk: Service) =>
  TreeWalk.walk(zk, "/").pipe(
    Stream.mapEffect(({ path, stat }) =>
      Effect.map(Effect.all([zk.get(path), zk.getAcl(path)]), ([{ data }, { acl }]) => ({
        path,
        data: new TextDecoder().decode(data),
        acl: acl.map(Acl.format),
        versions: [stat.version, stat.cversion, stat.aversion]
      }))
    ),
    Stream.runCollect
  )

const inChroot = Effect.fnUntraced(function* (root: Service, name: string) {
  const chroot = TestServer.freshPath(name)
  yield* root.create(chroot)
  return { servers: `${TestServer.connectString()}${chroot}`, zk: yield* root.withChroot(chroot) }
})

describe("zk, beside ZooKeeper's own shell", () => {
  it.live(
    "leaves the same tree",
    () =>
      Effect.gen(function* () {
        const root = yield* connect()
        const theirs = yield* inChroot(root, "shell")
        const ours = yield* inChroot(root, "zk")
        const printed = yield* runShell(
          theirs.servers,
          steps.map(([shell]) => shell)
        )
        const codes: Array<number> = []
        for (const [, args] of steps) codes.push((yield* run(args, { env: { ZK_SERVERS: ours.servers } })).code)
        const expected = yield* readTree(theirs.zk)
        assert.isAbove(expected.length, 5, printed)
        assert.deepStrictEqual(yield* readTree(ours.zk), expected)
        // Where the shell reports a failure, the exit code does too.
        assert.deepStrictEqual(codes, [0, 0, 0, 0, 0, 0, 0, 4, 3, 0, 0, 4, 3, 0, 4, 4, 0, 0, 0, 0, 0])
      }).pipe(Effect.scoped, Effect.provide(Targets.real)),
    90_000
  )
})
