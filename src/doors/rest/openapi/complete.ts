import type { FastifyContextConfig } from 'fastify';
import { type AnswerHeader, answerHeaders, headersOf } from './header-descriptions.ts';
import { linksOf } from './links.ts';

/** The part of an OpenAPI document that is completed here. */
export interface Described {
  paths?: Record<string, Record<string, DescribedOperation>>;
  components?: { headers?: unknown };
}

interface DescribedOperation {
  operationId?: string;
  requestBody?: { required?: boolean };
  responses: Record<string, DescribedAnswer>;
}

interface DescribedAnswer {
  readonly description: string;
  readonly content?: object;
  readonly headers?: object;
  readonly links?: object;
}

/**
 * Says what schemas of routes have no place for: headers of answers, links, bodies that may be left out, and that HEAD
 * has no body.
 */
export function completed<T extends Described>(document: T, configOf: (operationId: string) => FastifyContextConfig): T {
  const paths = Object.entries(document.paths ?? {}).map(([path, operations]) => [
    path,
    Object.fromEntries(Object.entries(operations).map(([method, operation]) => [method, complete(method, operation, configOf)])),
  ]);
  const headers = { ...answerHeaders };
  return { ...document, paths: Object.fromEntries(paths), components: { ...document.components, headers } };
}

function complete(
  method: string,
  operation: DescribedOperation,
  configOf: (operationId: string) => FastifyContextConfig,
): DescribedOperation {
  const { operationId = '', requestBody } = operation;
  const { body, gives = [] } = configOf(operationId);
  const head = method === 'head';
  const answers = Object.entries(operation.responses).filter(([status]) => !head || (status !== '206' && status !== '416'));
  return {
    ...operation,
    operationId: head ? `${operationId}Head` : operationId,
    ...(requestBody === undefined ? {} : { requestBody: { ...requestBody, required: body !== 'raw' && body !== 'json-or-empty' } }),
    responses: Object.fromEntries(
      answers.map(([status, answer]) => [status, completeAnswer(Number(status), answer, operationId, head, gives)]),
    ),
  };
}

function completeAnswer(
  status: number,
  { content, ...answer }: DescribedAnswer,
  operationId: string,
  head: boolean,
  gives: readonly AnswerHeader[],
): DescribedAnswer {
  // Bytes of any type have no schema, whatever type they say that they have.
  const shown = content !== undefined && '*/*' in content ? { '*/*': {} } : content;
  const links = status < 300 && !head ? linksOf(operationId) : undefined;
  return {
    ...answer,
    headers: Object.fromEntries(headersOf(status, gives).map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    ...(shown === undefined || head ? {} : { content: shown }),
    ...(links === undefined ? {} : { links }),
  };
}
