// Answers every call with a greeting.
exports.handle = async (event, context) => ({
  statusCode: 200,
  headers: { "Content-Type": "text/plain" },
  body: `${process.env.GREETING} from Node, at ${event.path}\n`,
});
