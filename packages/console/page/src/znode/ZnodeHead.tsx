import { createSignal, For, Match, Show, Switch } from "solid-js"
import { nameOf, parentOf, trail } from "../model/znodePath.ts"
import { copy } from "../parts/copy.ts"
import { Icon } from "../parts/Icon.tsx"
import { Name } from "../parts/Name.tsx"
import { usePage } from "../shell/page.ts"
import { CreateDialog } from "./CreateDialog.tsx"
import { DeleteDialog } from "./DeleteDialog.tsx"
import { ExportDialog } from "./ExportDialog.tsx"
import { GraftDialog } from "./GraftDialog.tsx"
import type { Present } from "./present.ts"

/** The path of the znode, and what can be done with it as a whole. */
export const ZnodeHead = (props: {
  readonly path: string
  readonly present: Present | undefined
  readonly onBack: () => void
}) => {
  const { go, href, readOnly, say } = usePage()
  const [dialog, setDialog] = createSignal<"create" | "delete" | "copy" | "import" | "export">()
  return (
    <div class="znode-head">
      <div class="row">
        <button class="button quiet icon back" aria-label="Back to the tree" onClick={() => props.onBack()}>
          <Icon name="left" />
        </button>
        <nav class="trail" aria-label="Path">
          <ol>
            <For each={trail(props.path)}>
              {(step, index) => (
                <li>
                  <Show when={index() > 1}>
                    <span class="muted" aria-hidden="true">
                      /
                    </span>
                  </Show>
                  <a href={href({ view: "tree", path: step })} aria-current={step === props.path ? "page" : undefined}>
                    <Name text={nameOf(step)} />
                  </a>
                </li>
              )}
            </For>
          </ol>
        </nav>
        <button
          class="button quiet icon"
          aria-label="Copy the path"
          title="Copy the path"
          onClick={() => copy(props.path, () => say("The path is copied."))}
        >
          <Icon name="copy" size={14} />
        </button>
        <button
          class="button quiet icon"
          aria-label="Copy a link to this znode"
          title="Copy a link to this znode"
          onClick={() => copy(window.location.href, () => say("The link is copied. It has no token."))}
        >
          <Icon name="link" size={14} />
        </button>
      </div>
      <Show when={props.present !== undefined}>
        <div class="row">
          <Show when={readOnly() === undefined}>
            <button class="button" onClick={() => setDialog("create")}>
              <Icon name="add" size={14} /> Create a child
            </button>
          </Show>
          <button class="button quiet" onClick={() => setDialog("export")}>
            Export
          </button>
          <Show when={readOnly() === undefined}>
            <button class="button quiet" onClick={() => setDialog("import")}>
              Import
            </button>
            <Show when={props.path !== "/"}>
              <button class="button quiet" onClick={() => setDialog("copy")}>
                Copy
              </button>
              <button class="button danger" onClick={() => setDialog("delete")}>
                <Icon name="trash" size={14} /> Delete
              </button>
            </Show>
          </Show>
        </div>
      </Show>
      <Switch>
        <Match when={dialog() === "export"}>
          <ExportDialog path={props.path} onClose={() => setDialog()} />
        </Match>
        <Match when={dialog() === "copy" || dialog() === "import"}>
          <GraftDialog
            kind={dialog() === "copy" ? "copy" : "import"}
            path={props.path}
            onClose={() => setDialog()}
            onDone={(path, count) => {
              setDialog()
              say(count === 1 ? "One znode was created." : `${count.toLocaleString("en")} znodes were created.`)
              go({ path })
            }}
          />
        </Match>
        <Match when={dialog() === "create"}>
          <CreateDialog
            parent={props.path}
            onClose={() => setDialog()}
            onCreated={(path) => {
              setDialog()
              say("It was created.")
              go({ path })
            }}
          />
        </Match>
        <Match when={dialog() === "delete" && props.present}>
          {(present) => (
            <DeleteDialog
              path={props.path}
              stat={present().stat}
              onClose={() => setDialog()}
              onDeleted={(count) => {
                setDialog()
                say(count === 1 ? "The znode was deleted." : `${count.toLocaleString("en")} znodes were deleted.`)
                go({ path: parentOf(props.path) ?? "/" })
              }}
            />
          )}
        </Match>
      </Switch>
    </div>
  )
}
