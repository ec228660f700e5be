class Server:
    """Serves one request at a time on the main thread, because some functions must run
    there. It keeps idle connections open."""

    def __init__(self, handler, listener):
        self.handler = handler
        self.context = make_context(os.environ)
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.busy = False
        self.stopping = False

    def stop(self, *_):
        self.stopping = True
        if not self.busy:
            sys.exit(0)

    def run(self):
        signal.signal(signal.SIGTERM, self.stop)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        os.write(READY, b"1")
        os.close(READY)
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    self.accept()
                else:
                    self.serve(key.data)

    def accept(self):
        try:
            sock, _ = self.listener.accept()
        except BlockingIOError:
            return
        sock.setblocking(True)
        self.selector.register(sock, selectors.EVENT_READ, Connection(sock))

    def serve(self, connection):
        self.busy = True
        try:
            if not self.serve_one(connection):
                self.selector.unregister(connection.sock)
                connection.close()
        except (OSError, BadRequest) as error:
            print("connection ended: %s" % error, file=sys.stderr)
            self.selector.unregister(connection.sock)
            connection.close()
        self.busy = False
        if self.stopping:
            sys.exit(0)

    def serve_one(self, connection):
        request = connection.read_request()
        if request is None:
            return False
        connection.write_answer(request, *answer(self.handler, self.context, request))
        return True


def load(code, file, function):
    """Returns the handler. It loads the file by its path, so that the file may have the
    name of a module of the standard library."""
    sys.path[:0] = code_path(code)
    name = os.path.splitext(file)[0].replace("/", ".")
    spec = importlib.util.spec_from_file_location(name, os.path.join(code, file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    handler = getattr(module, function, None)
    if not callable(handler):
        raise AttributeError('the handler\'s file has no function "%s"' % function)
    return handler


def warm_up():
    """Makes a call within this process, so that Python loads before the first real call
    what it needs for one. It leaves nothing open."""
    selectors.DefaultSelector().close()
    caller, called = socket.socketpair()
    caller.sendall(b"POST /?a=b HTTP/1.1\r\nHost: worker\r\nContent-Length: 2\r\n\r\n{}")
    connection = Connection(called)
    request = connection.read_request()
    result = {"statusCode": 200, "headers": {"A": ["b"]}, "body": {}}
    connection.write_answer(request, *answer(lambda event, context: result, {}, request))
    connection.close()
    caller.close()
    # Exclude the loaded objects from garbage collection: they are never freed.
    gc.collect()
    gc.freeze()


def receive():
    """Waits for the assignment, and sets the arguments and environment of this process,
    with the effects of the variables that Python reads when it starts."""
    with open(ASSIGNMENT, "rb") as pipe:
        assignment = json.loads(pipe.read())
    # The code was mounted over this folder meanwhile.
    os.chdir(os.getcwd())
    os.environ.clear()
    os.environ.update(assignment["environment"])
    sys.argv[1:] = assignment["arguments"]
    time.tzset()
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [place for place in places if place and place not in code_path(sys.argv[1])]


def main():
    if sys.argv[1:] == [AWAIT]:
        warm_up()
        receive()
    code, file, function = sys.argv[1:]
    sys.argv[1:] = []
    handler = load(code, file, function)
    Server(handler, socket.socket(fileno=SOCKET)).run()


if __name__ == "__main__":
    main()
