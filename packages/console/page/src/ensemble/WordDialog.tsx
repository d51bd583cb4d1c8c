import type { ReadFailure } from "@effect-zookeeper/console/ProtocolError"
import { createSignal, For, onMount, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { useQuestion } from "../link/run.ts"
import { line } from "../model/text.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"

const words = ["srvr", "mntr", "cons", "conf", "envi", "wchs", "dirs", "isro", "ruok"] as const

type Word = (typeof words)[number]

/** The answer of one member to a four-letter word. */
export const WordDialog = (props: { readonly server: string; readonly onClose: () => void }) => {
  const { cluster, link } = usePage()
  const [word, setWord] = createSignal<Word>("srvr")
  const [answer, setAnswer] = createSignal<string>()
  const asking = useQuestion<string, ReadFailure>(setAnswer)
  const ask = (word: Word): void => {
    setWord(word)
    setAnswer()
    asking.start(link.client.fourLetterWord({ cluster: cluster()?.name ?? "", server: props.server, word }))
  }
  onMount(() => ask("srvr"))
  const failure = () => {
    const state = asking.state()
    return state._tag === "Failed" ? describe(state.error, "question") : undefined
  }
  return (
    <Dialog title={`Ask ${line(props.server)}`} isWide onClose={props.onClose}>
      <div class="row" role="group" aria-label="Four-letter word">
        <For each={words}>
          {(one) => (
            <button
              class="button mono"
              aria-pressed={word() === one}
              classList={{ primary: word() === one }}
              onClick={() => ask(one)}
            >
              {one}
            </button>
          )}
        </For>
      </div>
      <Show when={failure()}>{(text) => <Note tone="bad">{text()}</Note>}</Show>
      <pre class="answer mono" tabindex="0" aria-label={`The answer to ${word()}`}>
        {answer() === undefined ? "" : (answer() ?? "").split("\n").map(line).join("\n")}
      </pre>
      <div class="row end">
        <button class="button" onClick={() => props.onClose()}>
          Close
        </button>
      </div>
    </Dialog>
  )
}
