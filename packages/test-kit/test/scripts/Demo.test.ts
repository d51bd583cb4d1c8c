import { connectString } from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Command from "../support/command.ts"
import { connect } from "../support/rawClient.ts"

/** The environment without what would change the demo's server, or colour its lines. */
const { FORCE_COLOR: _color, ZK_SERVERS: _servers, ...env } = process.env

const assertInOrder = (text: string, lines: ReadonlyArray<RegExp>): void => {
  let rest = text
  for (const line of lines) {
    const found = line.exec(rest)
    if (found === null) assert.fail(`${line} is missing, or not in order:\n${text}`)
    rest = rest.slice(found.index + found[0].length)
  }
}

const steps = [
  /^1\. Two clients connect$/m,
  /^ +Alice .* session 0x[0-9a-f]+$/m,
  /^ +Bob .* session 0x[0-9a-f]+$/m,
  /^2\. A typed znode/m,
  /^ +Bob .*sees that there is none yet$/m,
  /^ +Alice .*reads back \{ replicas: 2, owner: 'ops' \} \(version 0\)$/m,
  /^ +Bob .*sees \{ replicas: 2, owner: 'ops' \} \(version 0\)$/m,
  /^ +Alice .*InvalidArgument/m,
  /^3\. An update by compare-and-set$/m,
  /^ +Bob .*writes \{ replicas: 3, owner: 'ops' \} \(version 1\)$/m,
  /^ +Alice .*BadVersion$/m,
  /^ +Alice .*update.* \{ replicas: 3, owner: 'Alice' \}$/m,
  /^ +Bob .*sees \{ replicas: 3, owner: 'Alice' \} \(version 2\)$/m,
  /^4\. An ephemeral znode$/m,
  /^ +Alice .*lists the workers: \[ 'carol' \]$/m,
  /^ +Alice .*NodeDeleted \/workers\/carol, and lists the workers: \[\]$/m,
  /^5\. A transaction$/m,
  /^ +Alice .*TransactionFailed: operation 2 failed, the Check of \/config\/mail, with BadVersion$/m,
  /^ +Bob .*\/config\/web was not created, \/workers is still there$/m,
  /^6\. A lock, lost by its holder$/m,
  /^ +Alice .*holds the lock/m,
  /^ +Bob .*waits for it$/m,
  /^ +Alice .*is interrupted/m,
  /^ +Alice .*LockLost: .*its znode was deleted$/m,
  /^ +Bob .*has it, with a larger token$/m,
  /^ +Alice .*refuses it with LockLost$/m,
  /^7\. /m
]

/** The last step where connections were lost in it. */
const lost = [
  /^ +Server .*both clients notice/m,
  /^ +Bob .*answer: \{ replicas: 3, owner: 'Alice' \}$/m,
  /^ +Alice .*still has the session 0x/m,
  /^ +Bob .*sees \{ replicas: 5, owner: 'Alice' \} \(version 3\), and still has the session 0x/m,
  /^Done in [\d.]+ seconds/m
]

/** The output of the demo, which must go well. */
const runDemo = Effect.fnUntraced(function* (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) {
  const { code, stderr, stdout } = yield* Command.run("demo", args, env)
  assert.deepStrictEqual([code, stderr], [0, ""], stdout)
  return stdout
})

describe("the demo", () => {
  itLive("shows each step on the embedded server, where no ZooKeeper is installed, in seconds", function* () {
    const stdout = yield* runDemo([], { PATH: "" })
    assertInOrder(stdout, [...steps.slice(0, -1), /^7\. The server ends all connections/m, ...lost])
    assert.isBelow(Number(/^Done in ([\d.]+) seconds/m.exec(stdout)?.[1]), 20)
    yield* assertGone(stdout)
  })

  itLive("shows each step on a real server of its own, and leaves nothing behind", function* () {
    const stdout = yield* runDemo(["--real"], env)
    assertInOrder(stdout, [
      ...steps.slice(0, -1),
      /^7\. The server is restarted/m,
      /^ +Server stops/m,
      ...lost.slice(1)
    ])
    yield* assertGone(stdout)
  })

  itLive("uses the server that it is given, leaves its connections alone, and deletes its znodes", function* () {
    const stdout = yield* runDemo([], { ...env, ZK_SERVERS: connectString() })
    assertInOrder(stdout, [...steps, /^ +Server skipped/m, /^Done in [\d.]+ seconds/m])
    const names = yield* Effect.flatMap(ZooKeeper.ZooKeeper, (zk) => zk.getChildren("/")).pipe(
      Effect.provide(ZooKeeper.layer({ servers: connectString() }))
    )
    assert.isEmpty(names.filter((name) => name.startsWith("effect-zookeeper-demo-")))
  })

  itLive("says in one line that there is no real ZooKeeper", function* () {
    const { code, stderr, stdout } = yield* Command.run("demo", ["--real"], { PATH: "" })
    assert.strictEqual(stdout, "")
    assert.match(stderr, /^No ZooKeeper found: install .*\n$/)
    assert.strictEqual(code, 1)
  })

  itLive("says in one line how it is used", function* () {
    const { code, stderr, stdout } = yield* Command.run("demo", ["--reel"], env)
    assert.deepStrictEqual([code, stdout], [1, ""])
    assert.match(stderr, /^usage: demo .*\n$/)
  })
})

/** The server that the demo has told of is gone. */
const assertGone = Effect.fnUntraced(function* (stdout: string) {
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(stdout)?.[1])
  assert.match((yield* Effect.flip(connect(port))).message, /ECONNREFUSED/)
})
