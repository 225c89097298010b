// A question that must be answered before something happens, in the browser's own dialog: focus and Escape come with it.

export interface Question {
  title: string
  /** Sentences: what happens, what is safe. */
  text: string[]
  yes: string
  no: string
  /** The yes destroys something: it stands apart, in the colour of danger, and is not the first to be focused. */
  danger?: boolean
}

/** true for yes. Escape and the back gesture mean no. */
export function ask(question: Question): Promise<boolean> {
  const dialog = document.createElement('dialog')
  dialog.className = 'ask'
  dialog.setAttribute('aria-labelledby', 'ask-title')
  const title = made('h2', question.title)
  title.id = 'ask-title'
  const no = made('button', question.no, 'button')
  const yes = made('button', question.yes, question.danger ? 'button danger' : 'button primary')
  const buttons = made('div', '', 'buttons')
  buttons.append(...(question.danger ? [no, yes] : [yes, no]))
  dialog.append(title, ...question.text.map((line) => made('p', line)), buttons)
  document.body.append(dialog)
  return new Promise((resolve) => {
    let answer = false
    yes.onclick = () => {
      answer = true
      dialog.close()
    }
    no.onclick = () => dialog.close()
    dialog.onclose = () => {
      dialog.remove()
      resolve(answer)
    }
    dialog.showModal()
  })
}

function made<K extends keyof HTMLElementTagNameMap>(name: K, text: string, className = ''): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  element.textContent = text
  element.className = className
  return element
}
