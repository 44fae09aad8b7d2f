import type { RequestHandler } from 'express'
import { z } from 'zod'
import { organisationsOf } from '../../auth/access.ts'
import { organisationKey } from '../../domain/organisation.ts'
import { covers } from '../../domain/role.ts'
import type { PageDeps } from '../deps.ts'
import { parseQuery } from '../lists/query.ts'
import { actingAs, listsHere, signedIn } from '../request-state.ts'
import type { Answer, Case, Question } from './answer.ts'
import { createLiveLook } from './live-look.ts'
import { type Meaning, meaningsOf } from './meanings.ts'
import { merchantCase } from './merchant.ts'
import { digitsCase, malformedCase } from './number.ts'
import { malformedIdCase, recordCase } from './record.ts'
import { salesUnitCase } from './sales-unit.ts'
import { textCase } from './text.ts'

/** What is kept of a text; a link may be long. */
const longest = 2000

const query = z.object({
  q: z
    .string()
    .transform((typed) =>
      typed
        .replaceAll(/\p{Cc}+/gu, ' ')
        .trim()
        .slice(0, longest),
    )
    .default(''),
})

/**
 * `GET …/why?q=`: why the user cannot see what they typed: a sentence for each likely meaning, its evidence, and what to
 * do next. Asks the API about what the store does not have.
 */
export function showWhy(deps: Pick<PageDeps, 'database' | 'freshness' | 'organisations' | 'audit'>): RequestHandler {
  const liveLook = createLiveLook(deps)
  return async (req, res) => {
    const { q } = parseQuery(query, req)
    const organisation = actingAs(res)
    const { language, role } = res.locals
    const choices = organisationsOf(signedIn(req), deps.organisations, language)
    const question: Question = {
      db: deps.database.pages,
      organisation,
      others: choices.filter((choice) => organisationKey(choice.organisation) !== organisationKey(organisation)),
      seesDevelopers: role !== undefined && covers(role, 'developer'),
      language,
      lists: listsHere(res),
      base: req.baseUrl,
    }
    const meanings = q === '' ? [] : meaningsOf(q)
    const cases = await casesOf(question, meanings)
    const isFound = cases.some(({ known }) => known === 'here' || known === 'elsewhere')
    const wanted = cases.map((each, at) => (isFound || !isTold(each, at, cases, meanings) ? undefined : each.wanted))
    const looks = await liveLook(req, organisation, wanted)
    // What the API has is in the store now.
    const latest = looks.some((look) => look?.said === 'present') ? await casesOf(question, meanings) : cases
    const answers: Answer[] = []
    for (const [at, each] of latest.entries())
      if (isTold(each, at, latest, meanings)) answers.push(await each.answer(looks[at]))
    res.render('why/why', {
      title: language.t('why.title'),
      q,
      answers: answers.map((answer) => ({ ...answer, copied: copyOf(answer) })),
    })
  }
}

async function casesOf(question: Question, meanings: readonly Meaning[]): Promise<readonly Case[]> {
  const cases: Case[] = []
  for (const meaning of meanings) cases.push(await caseOf(question, meaning))
  return cases
}

async function caseOf(question: Question, meaning: Meaning): Promise<Case> {
  switch (meaning.kind) {
    case 'salesUnit':
      return salesUnitCase(question, meaning.msn)
    case 'merchant':
      return merchantCase(question, meaning)
    case 'digits':
      return digitsCase(question, meaning)
    case 'malformed':
      return malformedCase(question, meaning)
    case 'id':
      return recordCase(question, meaning.id, meaning.url)
    case 'malformedId':
      return malformedIdCase(question, meaning.id)
    default:
      return textCase(question, meaning.text)
  }
}

/**
 * What is known makes the other meanings unlikely, unless the user said which number it should be; and then only what is
 * known is told beside it.
 */
function isTold({ known }: Case, at: number, all: readonly Case[], meanings: readonly Meaning[]): boolean {
  const isNamed = (meaning: Meaning | undefined): boolean => meaning?.kind === 'malformed' && meaning.isNamed
  if (isNamed(meanings[at]) || isKnown(known)) return true
  if (meanings.some(isNamed)) return false
  // A link that is none of the portal's or of an order is only searched as text.
  if (meanings[at]?.kind === 'text' && all.length > 1) return false
  return !all.some((other) => isKnown(other.known))
}

function isKnown(known: Case['known']): boolean {
  return known !== 'never' && known !== 'wrong'
}

/** The answer as text, for a message to the partner manager. */
function copyOf({ sentence, evidence }: Answer): string {
  const lines = evidence.map(({ before, link, after, note }) => {
    const text = `${before}${link?.text ?? ''}${after}`
    return note === undefined ? `- ${text}` : `- ${text} (${note})`
  })
  return [sentence, ...lines].join('\n')
}
