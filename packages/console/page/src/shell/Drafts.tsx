import { createSignal, For, Show } from "solid-js"
import { line } from "../model/text.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { Icon } from "../parts/Icon.tsx"
import { Name } from "../parts/Name.tsx"
import { unsaved } from "../znode/drafts.ts"
import { usePage } from "./page.ts"

/** How many texts are not saved, in every view, and the way to them. */
export const Drafts = () => {
  const { go } = usePage()
  const [isOpen, setOpen] = createSignal(false)
  const count = () => unsaved().length
  const open = (): void => {
    const [first, ...others] = unsaved()
    if (first !== undefined && others.length === 0) go({ ...first, view: "tree" })
    else setOpen(true)
  }
  return (
    <>
      <Show when={count() > 0}>
        <button
          class="button quiet badge warn"
          aria-label={
            count() === 1
              ? "1 draft. 1 text is not saved: show it"
              : `${count()} drafts. ${count()} texts are not saved: show them`
          }
          title={count() === 1 ? `Not saved: ${line(unsaved()[0]?.path ?? "")}` : "Texts that are not saved"}
          onClick={open}
        >
          <Icon name="edit" size={12} />
          <span class="number">{count()}</span> <span class="wide-only">{count() === 1 ? "draft" : "drafts"}</span>
        </button>
      </Show>
      <Show when={isOpen()}>
        <DraftsDialog onClose={() => setOpen(false)} />
      </Show>
    </>
  )
}

const DraftsDialog = (props: { readonly onClose: () => void }) => {
  const { cluster, href } = usePage()
  return (
    <Dialog title="Texts that are not saved" onClose={props.onClose}>
      <ul class="path-list">
        <For each={unsaved()} fallback={<li class="muted">All are saved or discarded.</li>}>
          {(one) => (
            <li>
              <a href={href({ ...one, view: "tree" })} onClick={() => props.onClose()}>
                <Name text={one.path} />
              </a>
              <Show when={one.cluster !== cluster()?.name}>
                {" "}
                <span class="muted">in {one.cluster}</span>
              </Show>
            </li>
          )}
        </For>
      </ul>
      <div class="row end">
        <button class="button" autofocus onClick={() => props.onClose()}>
          Close
        </button>
      </div>
    </Dialog>
  )
}
