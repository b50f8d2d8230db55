import PackagePlugin

@main struct FormatSchedules: CommandPlugin {
  func performCommand(context: PluginContext, arguments: [String]) throws {}
}
