const doneMs = 2000

/** Copies the value of the button that is pressed. One listener for all, so that it also works in parts swapped in later. */
export function watchCopyButtons() {
  document.addEventListener('click', async ({ target }) => {
    const button = target.closest('button[data-copy]')
    if (!button || 'done' in button.dataset) return
    try {
      await navigator.clipboard.writeText(button.dataset.copy)
    } catch {
      // The browser refuses without https or permission: select the text, so that the user can copy it with the keyboard.
      getSelection().selectAllChildren(button.previousElementSibling ?? button)
      return
    }
    const text = button.querySelector('.live-text')
    const label = text.textContent
    text.textContent = button.dataset.copied
    button.dataset.done = ''
    setTimeout(() => {
      text.textContent = label
      delete button.dataset.done
    }, doneMs)
  })
}
