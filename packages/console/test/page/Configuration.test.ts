/** The words of the page for changes of an ensemble's configuration. */
import type { EnsembleConfig } from "@effect-zookeeper/console/EnsembleModels"
import { assert, describe, it } from "@effect/vitest"
import { changesOf, withConfig } from "../../page/src/model/configuration.ts"

type Member = EnsembleConfig["members"][number]

const member = (id: number, changes: Partial<Member> = {}): Member => ({
  id,
  role: "participant",
  addresses: [`zk${id}:2888:3888`],
  client: `zk${id}:2181`,
  ...changes
})

const config = (version: number, ...members: ReadonlyArray<Member>): EnsembleConfig => ({
  version: BigInt(version),
  seen: version * 1000,
  members
})

/** The sentences of the change from one list of members to another. */
const said = (before: ReadonlyArray<Member>, after: ReadonlyArray<Member>) =>
  changesOf([config(2, ...after), config(1, ...before)])[0]?.sentences

describe("the changes of a configuration", () => {
  it("name the members that joined and left, with their addresses", () => {
    assert.deepStrictEqual(said([member(1), member(2)], [member(1), member(4, { role: "observer" })]), [
      "Member 2 left (zk2:2888:3888).",
      "Member 4 joined as an observer (zk4:2888:3888)."
    ])
  })

  it("name what is different about a member that stays", () => {
    assert.deepStrictEqual(said([member(1)], [member(1, { role: "observer" })]), [
      "Member 1 is an observer now, and was a participant."
    ])
    assert.deepStrictEqual(said([member(1)], [member(1, { addresses: ["a:1:2", "b:1:2"] })]), [
      "Member 1 is at a:1:2 and b:1:2 for members, and was at zk1:2888:3888."
    ])
    assert.deepStrictEqual(said([member(1)], [member(1, { client: "other:2181" })]), [
      "Member 1 is at other:2181 for clients, and was at zk1:2181."
    ])
    assert.deepStrictEqual(said([member(1)], [member(1)]), ["The members are the same: only the version is new."])
  })

  it("are one for each configuration but the first, the newest before the others, also when some are told again", () => {
    const all = [config(1, member(1)), config(2, member(1), member(2)), config(3, member(1))]
    const configs = [...all, ...all].reduce<ReadonlyArray<EnsembleConfig>>(withConfig, [])
    assert.deepStrictEqual(
      changesOf(configs).flatMap(({ seen, sentences }) => sentences.map((sentence) => [seen, sentence])),
      [
        [3000, "Member 2 left (zk2:2888:3888)."],
        [2000, "Member 2 joined as a participant (zk2:2888:3888)."]
      ]
    )
    assert.deepStrictEqual(changesOf([]), [])
  })
})
