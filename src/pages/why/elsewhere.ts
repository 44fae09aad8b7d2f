import { type Organisation, organisationKey } from '../../domain/organisation.ts'
import type { Trace } from '../../store/traces.ts'
import { organisationPath } from '../../domain/organisation.ts'
import { type Answer, lineOf, type Question } from './answer.ts'

/** A record that another organisation of the user has now. */
export type Elsewhere = { readonly trace: Trace; readonly organisation: Organisation }

/** The first record that another organisation of the user has now. */
export function elsewhereOf({ others }: Question, traces: readonly Trace[]): Elsewhere | undefined {
  const there = traces.flatMap((trace) => {
    const other = others.find(({ organisation }) => organisationKey(organisation) === trace.organisation)
    return other && !trace.removedAt ? [{ trace, organisation: other.organisation }] : []
  })
  return there[0]
}

/**
 * The answer that names the organisation where the record is.
 * @param what.key its messages below `why`; @param what.path its page below the section of the organisation
 */
export function elsewhereAnswer(
  { language, organisation }: Question,
  { trace, organisation: other }: Elsewhere,
  what: { readonly key: string; readonly values: Readonly<Record<string, string>>; readonly path: string },
): Answer {
  const { t, format } = language
  const values = { ...what.values, other: other.name, organisation: organisation.name }
  const link = { href: `${organisationPath(other)}/${what.path}`, text: trace.name ?? trace.key }
  return {
    sentence: t(`why.${what.key}.title`, values),
    text: t('why.elsewhere'),
    evidence: [
      lineOf(language, 'why.evidence.notHere', { organisation: organisation.name }, { sign: 'no' }),
      lineOf(language, 'why.evidence.there', { ...values, at: format.longDay(trace.firstSeenAt) }, { sign: 'yes' }),
    ],
    steps: [lineOf(language, 'why.steps.openThere', values, { link })],
  }
}
