import type { ReadFailure } from "@effect-zookeeper/console/ProtocolError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { createSignal, onCleanup, onMount, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import type { Failure } from "../link/follow.ts"
import { size } from "../model/data.ts"
import { download } from "../parts/copy.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"

/** Reads a subtree into a file, which the browser saves when it is complete. Closing the dialog stops it. */
export const ExportDialog = (props: { readonly path: string; readonly onClose: () => void }) => {
  const { cluster, link, run, say } = usePage()
  const name = cluster()?.name ?? ""
  const [read, setRead] = createSignal<{ readonly done: number; readonly total?: number }>()
  const [bytes, setBytes] = createSignal(0)
  const [failure, setFailure] = createSignal<Failure<ReadFailure>>()

  onMount(() => {
    const parts: Array<Uint8Array<ArrayBuffer>> = []
    const reading = Stream.runForEach(link.client.exportSubtree({ cluster: name, path: props.path }), (event) =>
      Effect.sync(() => {
        if (event._tag === "progress") return void setRead(event)
        parts.push(Uint8Array.from(event.bytes))
        setBytes((bytes) => bytes + event.bytes.length)
      })
    )
    const fiber = run(
      Effect.match(reading, {
        onFailure: (error) => void setFailure(error),
        onSuccess: () => {
          download(fileName(name, props.path), parts)
          say("The subtree was exported.")
          props.onClose()
        }
      })
    )
    onCleanup(() => void run(Fiber.interrupt(fiber)))
  })

  return (
    <Dialog title="Export the subtree" onClose={props.onClose}>
      <p>
        <Name text={props.path} /> and everything below it become one file, which <code>zk restore</code> and the import
        of this page read. It has all data as readable text. It has no hashes of passwords from ACLs.
      </p>
      <Show
        when={failure()}
        fallback={
          <p class="muted number" role="status">
            {bytes() > 0 ? `${size(bytes())} are here …` : words(read())}
          </p>
        }
      >
        {(error) => <Note tone="bad">{describe(error(), "question")}</Note>}
      </Show>
      <div class="row end">
        <button class="button" autofocus onClick={() => props.onClose()}>
          {failure() === undefined ? "Cancel" : "Close"}
        </button>
      </div>
    </Dialog>
  )
}

const words = (read: { readonly done: number; readonly total?: number } | undefined): string => {
  if (read === undefined) return "Counting the znodes …"
  const of = read.total === undefined ? "" : ` of ${read.total.toLocaleString("en")}`
  return `${read.done.toLocaleString("en")}${of} znodes read …`
}

const fileName = (cluster: string, path: string): string =>
  `${`${cluster}${path === "/" ? "" : path}`.replaceAll(/[^\w.-]+/g, "-")}.ndjson.gz`
