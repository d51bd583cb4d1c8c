import { createSignal, type JSX, onCleanup, onMount, Show } from "solid-js"

/** A dialog of the browser: it keeps the focus inside, Escape closes it, and the focus returns to where it was. */
export const Dialog = (props: {
  readonly title: string
  readonly isWide?: boolean
  /** Whether something was typed that is lost with the dialog: Escape asks then. A button that cancels need not ask. */
  readonly hasText?: boolean
  readonly onClose: () => void
  readonly children: JSX.Element
}) => {
  let element: HTMLDialogElement | undefined
  const [isAsking, setAsking] = createSignal(false)
  onMount(() => element?.showModal())
  // An open dialog that is taken out of the page lets the focus go: nothing else can have it until then.
  onCleanup(() => element?.close())
  const leave = (): void => {
    if (props.hasText === true) setAsking(true)
    else props.onClose()
  }
  return (
    <dialog
      ref={element}
      class={props.isWide ? "wide" : ""}
      aria-label={props.title}
      onKeyDown={(event) => {
        // A browser lets a page refuse to close once, and closes at the next Escape. It does not see this key.
        if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return
        event.preventDefault()
        leave()
      }}
      onCancel={(event) => {
        event.preventDefault()
        leave()
      }}
    >
      <div class="stack">
        <h1>{props.title}</h1>
        {props.children}
        <Show when={isAsking()}>
          <div class="note warn row" role="alert">
            <span>Discard what you typed?</span>
            <span class="spring" />
            <button
              type="button"
              class="button"
              ref={(button) => queueMicrotask(() => button.focus())}
              onClick={() => setAsking(false)}
            >
              Keep it
            </button>
            <button type="button" class="button danger primary" onClick={() => props.onClose()}>
              Discard
            </button>
          </div>
        </Show>
      </div>
    </dialog>
  )
}
