module.exports.handle = (event, context, callback) => {
  return {
    statusCode: 200,
    headers: { "Content-Type": "application/json" },
    body: { message: "Hello, World!" },
  };
};
