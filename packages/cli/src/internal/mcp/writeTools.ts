/** The tools of `zk mcp --write`: each change is by the version that was read, and the person is asked before it is made. */
import * as Acl from "@effect-zookeeper/client/Acl"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as McpSchema from "effect/ai/McpSchema"
import * as McpServer from "effect/ai/McpServer"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Output from "../../Output.ts"
import { cut } from "../output/data.ts"
import { escapeText, shown } from "../output/text.ts"
import type { WithSession } from "./connected.ts"
import { ToolFailure } from "./untrusted.ts"

const path = Schema.String.annotate({ description: "The absolute path of the znode" })
const version = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
  description: "The version of the data as it was read; the change is refused if the znode has another by then"
})
const czxid = Output.Hex.annotate({
  description: "The czxid of the znode as it was read: a znode that was created again begins at version 0 again"
})
const data = Schema.String.annotate({ description: "The whole new data, as UTF-8" })

const set = Tool.make("zk_set", {
  description: "Write the data of a znode, by version and czxid. The person is asked first.",
  parameters: Schema.Struct({ path, czxid, version, data }),
  success: Schema.Struct({ stat: Output.Stat }),
  failure: ToolFailure,
  dependencies: [McpSchema.McpServerClient]
})

const create = Tool.make("zk_create", {
  description: "Create a persistent znode whose parent exists, with the ACL of the parent. The person is asked first.",
  parameters: Schema.Struct({ path, data }),
  success: Schema.Struct({ path: Schema.String }),
  failure: ToolFailure,
  dependencies: [McpSchema.McpServerClient]
}).annotate(Tool.Destructive, false)

const remove = Tool.make("zk_delete", {
  description: "Delete a znode without children, by version and czxid. The person is asked first.",
  parameters: Schema.Struct({ path, czxid, version }),
  success: Schema.Struct({ deleted: Schema.String }),
  failure: ToolFailure,
  dependencies: [McpSchema.McpServerClient]
})

export const toolkit = Toolkit.make(
  set.annotate(Tool.OpenWorld, false),
  create.annotate(Tool.OpenWorld, false),
  remove.annotate(Tool.OpenWorld, false)
)

export const handlers = (withSession: WithSession, where: string) =>
  toolkit.of({
    zk_set: ({ czxid, data, path, version }) =>
      Effect.gen(function* () {
        yield* confirm(`Write to ${shown(path)} of ${where} (version ${version}) this data?\n\n${preview(data)}`)
        return yield* withSession([path], (zk) =>
          Effect.gen(function* () {
            yield* checkBirth(zk, path, czxid)
            const stat = yield* zk.setData(path, data, { version })
            return stat.czxid === czxid
              ? { stat }
              : yield* new ToolFailure({
                  message: "it was created again in that very moment, and the new znode was written"
                })
          })
        )
      }),
    zk_create: ({ data, path }) =>
      Effect.gen(function* () {
        const acl = yield* withSession([path], (zk) => inheritedAcl(zk, path))
        const words = acl.map(inWords).join(", ")
        yield* confirm(`Create ${shown(path)} of ${where} with the ACL ${words} and this data?\n\n${preview(data)}`)
        return { path: yield* withSession([path], (zk) => zk.create(path, { data, acl })) }
      }),
    zk_delete: ({ czxid, path, version }) =>
      Effect.gen(function* () {
        yield* confirm(`Delete ${shown(path)} of ${where} (version ${version})?`)
        return yield* withSession([path], (zk) =>
          Effect.gen(function* () {
            yield* checkBirth(zk, path, czxid)
            yield* zk.delete(path, { version })
            return { deleted: path }
          })
        )
      })
  })

// ---- internal

const Answer = Schema.Struct({
  confirm: Schema.Boolean.annotate({ title: "Do it", description: "Nothing is changed otherwise" })
})

/** Asks the person through the program that the assistant runs in. One that cannot ask changes nothing. */
const confirm = (message: string): Effect.Effect<void, ToolFailure, McpSchema.McpServerClient> =>
  McpServer.elicit({ message, schema: Answer }).pipe(
    Effect.catchTag("ElicitationDeclined", () => Effect.succeed({ confirm: false })),
    Effect.flatMap(({ confirm }) =>
      confirm
        ? Effect.void
        : Effect.fail(
            new ToolFailure({
              message:
                "the person has not agreed, or this program cannot ask (it needs elicitation): nothing was changed"
            })
          )
    )
  )

/** Text that looks as it is: no character of it acts on the program that shows it. */
const preview = (data: string): string => cut(escapeText(data))

/** The znode may have been deleted and created again since it was read, also while the person was asked. */
const checkBirth = (zk: Service, path: string, czxid: bigint) =>
  Effect.flatMap(Effect.andThen(zk.sync(path), zk.stat(path)), (stat) =>
    Option.isSome(stat) && stat.value.czxid === czxid
      ? Effect.void
      : Effect.fail(
          new ToolFailure({
            message: Option.isNone(stat)
              ? "there is no such znode; nothing was changed"
              : "it was deleted and created again since it was read, or has another czxid; nothing was changed"
          })
        )
  )

/** The ACL of the parent, as the console gives it. One that may not be seen is the open one. */
const inheritedAcl = Effect.fnUntraced(function* (zk: Service, path: string) {
  const parent = ZnodePath.parent(path)
  const acl =
    parent === undefined
      ? Acl.open
      : yield* Effect.catchTags(
          Effect.map(zk.getAcl(parent), ({ acl }) => acl),
          { NoNode: () => Effect.succeed(Acl.open), NoAuth: () => Effect.succeed(Acl.open) }
        )
  // Without the ADMIN permission servers put x in the place of a hash, and an ACL with it would keep every client out.
  if (acl.some(({ id, scheme }) => scheme === "digest" && id.endsWith(":x"))) {
    return yield* new ToolFailure({
      message: "the ACL of the parent has hashes that may not be seen: nothing was created"
    })
  }
  return acl
})

/** Without the hash of a password. */
const inWords = (entry: Acl.Acl): string =>
  shown(Acl.format(entry.scheme === "digest" ? { ...entry, id: entry.id.replace(/:.*$/s, "") } : entry))
