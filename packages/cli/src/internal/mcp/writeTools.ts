/** The tools of `zk mcp --write`: each change is by the version that was read, and the person is asked before it is made. */
import type { Service } from "@effect-zookeeper/client/Service"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as McpSchema from "effect/ai/McpSchema"
import * as McpServer from "effect/ai/McpServer"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Output from "../../Output.ts"
import { cut } from "../output/data.ts"
import { escapeText, shown } from "../output/text.ts"
import { toFailure, ToolFailure } from "./untrusted.ts"

const path = Schema.String.annotate({ description: "The absolute path of the znode" })
const version = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
  description: "The version of the data as it was read; the change is refused if the znode has another by then"
})
const data = Schema.String.annotate({ description: "The whole new data, as UTF-8" })

const set = Tool.make("zk_set", {
  description: "Write the data of a znode, by version. The person is asked first.",
  parameters: Schema.Struct({ path, version, data }),
  success: Schema.Struct({ stat: Output.Stat }),
  failure: ToolFailure,
  dependencies: [McpSchema.McpServerClient]
})

const create = Tool.make("zk_create", {
  description: "Create a persistent znode whose parent exists. The person is asked first.",
  parameters: Schema.Struct({ path, data }),
  success: Schema.Struct({ path: Schema.String }),
  failure: ToolFailure,
  dependencies: [McpSchema.McpServerClient]
}).annotate(Tool.Destructive, false)

const remove = Tool.make("zk_delete", {
  description: "Delete a znode without children, by version. The person is asked first.",
  parameters: Schema.Struct({ path, version }),
  success: Schema.Struct({ deleted: Schema.String }),
  failure: ToolFailure,
  dependencies: [McpSchema.McpServerClient]
})

export const toolkit = Toolkit.make(
  set.annotate(Tool.OpenWorld, false),
  create.annotate(Tool.OpenWorld, false),
  remove.annotate(Tool.OpenWorld, false)
)

export const handlers = (zk: Service, where: string) =>
  toolkit.of({
    zk_set: ({ data, path, version }) =>
      Effect.gen(function* () {
        yield* confirm(`Write to ${shown(path)} of ${where} (version ${version}) this data?\n\n${preview(data)}`)
        return { stat: yield* Effect.mapError(zk.setData(path, data, { version }), toFailure(path)) }
      }),
    zk_create: ({ data, path }) =>
      Effect.gen(function* () {
        yield* confirm(`Create ${shown(path)} of ${where} with this data?\n\n${preview(data)}`)
        return { path: yield* Effect.mapError(zk.create(path, { data }), toFailure(path)) }
      }),
    zk_delete: ({ path, version }) =>
      Effect.gen(function* () {
        yield* confirm(`Delete ${shown(path)} of ${where} (version ${version})?`)
        yield* Effect.mapError(zk.delete(path, { version }), toFailure(path))
        return { deleted: path }
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
