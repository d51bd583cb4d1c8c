/** `zk multi`: what its help says of operations, what it takes, and how it names mistakes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fieldsOf } from "../../src/internal/change/multiLine.ts"
import { describeOnServers, run } from "../support/zk.ts"

describe("the help of zk multi", () => {
  it.live("has each operation with all of its fields", () =>
    Effect.gen(function* () {
      const { out } = yield* run(["multi", "--help"])
      for (const [op, [path, ...others]] of fieldsOf) {
        const line = out.split("\n").find((line) => line.includes(`{"op":"${op}","path":PATH}`))
        assert.strictEqual(path, "path")
        assert.strictEqual(line?.split(" and ")[1]?.trim(), others.join(", "), op)
      }
      assert.include((yield* run(["--help"])).out, "Apply all operations of a file as one transaction, or none\n")
    })
  )
})

describeOnServers("a line of zk multi", (it) => {
  it.inChroot("has data as get prints it in JSON", function* ({ run, zk }) {
    const stdin = [
      '{"op":"create","path":"/bytes","data":"AAEC","encoding":"base64"}',
      '{"op":"create","path":"/text","data":"AAEC","encoding":"utf8"}'
    ].join("\n")
    assert.strictEqual((yield* run(["multi", "-"], { stdin })).err, "")
    assert.deepStrictEqual(yield* zk.getData("/bytes"), new Uint8Array([0, 1, 2]))
    assert.strictEqual(new TextDecoder().decode(yield* zk.getData("/text")), "AAEC")
  })

  it.inChroot("is refused in the words of its operation", function* ({ run }) {
    const before = "zk: line 2 of the standard input is no operation, and nothing was sent: "
    const each = 'each line is one operation, as in {"op":"delete","path":"/a"}'
    const ops = "op is one of create, set, delete and check"
    const fields = "its fields are path, data, encoding, base64 and version"
    for (const [line, mistake] of [
      ['{"op":"set","path":"/a","versions":1}', `set has no field "versions" (perhaps version?); ${fields}`],
      ['{"op":"set","path":"/a","gunzipped":false}', `set has no field "gunzipped"; ${fields}`],
      ['{"op":"delete","path":"/a","data":""}', 'delete has no field "data"; its fields are path and version'],
      ['{"op":"created","path":"/a"}', `there is no operation "created" (perhaps create?); ${ops}`],
      ['{"op":"multi","path":"/a"}', `there is no operation "multi"; ${ops}`],
      ['{"path":"/a"}', `it has no op; ${ops}`],
      ['{"op":7}', ops],
      ['{"op":"check"}', "check has no path, which it needs"],
      ['{"op":"check","path":"/a","version":"1"}', "version of check must be a whole number"],
      [
        '{"op":"create","path":"/a","acl":"open"}',
        'acl of create must be an array of strings, as in ["world:anyone:r"]'
      ],
      [
        '{"op":"create","path":"/a","mode":"ephemeral"}',
        'mode of create must be "persistent", "persistentSequential" or "container"'
      ],
      ['{"op":"set","path":"/a","data":null}', "data of set must be a string"],
      ['{"op":"set","path":"/a","encoding":"base64"}', "it has encoding, which is for data, and no data"],
      ['[{"op":"check","path":"/a"}]', `it begins an array, and ${each}; \`jq -c '.[]'\` makes lines of an array`],
      ["delete /a", `it is not JSON; ${each}`],
      ["{", `it is not JSON; ${each}`],
      ['"delete"', `it is no object; ${each}`]
    ] as const) {
      const { code, err } = yield* run(["multi", "-"], { stdin: `# a comment\n${line}\n` })
      assert.deepStrictEqual([code, err], [2, `${before}${mistake}\n`])
    }
  })
})
